import pickle
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from exlm_chem import ExLM, ExLMTransformer
from exlm_chem.embedding import parallel
from exlm_chem.errors import ExLMError

SMILES = ["CCO", "c1ccccc1", "CC(=O)O", "CCN"]


@pytest.fixture
def transformer(tiny_model):
    return ExLMTransformer(str(tiny_model), device="cpu")


def test_same_vectors_as_the_embedder(transformer, tiny_model):
    expected = ExLM.from_pretrained(tiny_model).embed(SMILES)
    column = pd.DataFrame({"smiles": SMILES})
    for molecules in (SMILES, np.array(SMILES), column["smiles"], column, np.array(SMILES)[:, None]):
        np.testing.assert_array_equal(transformer.fit_transform(molecules), expected)
    assert transformer.transform(SMILES[:1]).shape == (1, 64)


def test_pooling_and_layer_are_those_of_the_embedder(tiny_model, tmp_path):
    encoder = ExLM.from_pretrained(tiny_model, "cpu")
    for layer in (-1, -2, -1):  # and the cache takes one not for the other
        transformer = ExLMTransformer(tiny_model, "mean+max", device="cpu", cache=tmp_path / "vectors", layer=layer)
        np.testing.assert_array_equal(transformer.transform(["CCO"]), encoder.embed("CCO", "mean+max", layer=layer))
        assert len(transformer.get_feature_names_out()) == encoder.vector_width("mean+max")


def test_clone_and_pickle(transformer):
    copy = clone(transformer.set_params(pooling="first"))
    assert copy.get_params() == transformer.get_params()
    transformer.fit(SMILES)
    saved = pickle.dumps(transformer)
    assert len(saved) < 2000  # the weights stay where they are
    again = pickle.loads(saved)  # noqa: S301
    np.testing.assert_array_equal(again.transform(SMILES), transformer.transform(SMILES))


def test_pickle_notices_other_weights(tiny_model, tmp_path):
    shutil.copytree(tiny_model, tmp_path / "model")
    saved = pickle.dumps(ExLMTransformer(tmp_path / "model").fit(SMILES))
    ExLM.from_pretrained(tmp_path / "model").save_pretrained(tmp_path / "model")
    with pytest.raises(ExLMError, match="has other weights than when this transformer was saved"):
        pickle.loads(saved).transform(SMILES)  # noqa: S301


def test_set_output_keeps_the_index(transformer):
    molecules = pd.Series(SMILES, index=list("abcd"))
    table = transformer.set_output(transform="pandas").fit_transform(molecules)
    assert list(table.columns[:2]) == ["exlm_0", "exlm_1"]
    assert list(table.index) == list("abcd")
    assert list(transformer.get_feature_names_out()) == list(table.columns)


def test_molecules_that_cannot_be_read(transformer):
    vectors = transformer.transform(["CCO", "C1CC", None])
    assert np.isnan(vectors).all(axis=1).tolist() == [False, True, True]
    with pytest.raises(ExLMError, match="molecule 1"):
        transformer.set_params(on_invalid="raise").transform(["CCO", "C1CC"])
    with pytest.raises(ExLMError, match=r"one column, not as an array of shape \(1, 2\)"):
        transformer.transform(np.array([["C", "CC"]]))


def test_in_a_pipeline(transformer):
    pipeline = make_pipeline(transformer, LogisticRegression())
    assert pipeline.fit(SMILES, [0, 1, 0, 0]).predict(["c1ccccc1"]).tolist() == [1]
    assert "exlm_63" in pipeline[:-1].get_feature_names_out()


def test_other_parameters_load_another_model(transformer, tmp_path):
    transformer.fit(SMILES)
    with pytest.raises(ExLMError, match="no model"):
        transformer.set_params(model=str(tmp_path / "none")).transform(SMILES)


def test_several_jobs_give_the_same_vectors(transformer, monkeypatch, tmp_path):
    expected = transformer.transform([*SMILES, "C1CC", *SMILES])
    asked = []
    monkeypatch.setattr(parallel, "PART", 2)
    part = parallel._embed_part
    monkeypatch.setattr(parallel, "_embed_part", lambda *args: asked.append(args[1]) or part(*args))
    for cache in (None, tmp_path / "vectors.sqlite"):
        transformer.set_params(n_jobs=1, cache=cache)
        np.testing.assert_allclose(transformer.transform([*SMILES, "C1CC", *SMILES]), expected, atol=1e-5)
    assert [len(one) for one in asked] == [2, 2, 2, 2]
    np.testing.assert_allclose(
        transformer.set_params(n_jobs=None, cache=None).transform([*SMILES, "C1CC", *SMILES]), expected, atol=1e-5
    )
    assert len(asked) == 4  # one process alone has the weights already
    with pytest.raises(ExLMError, match="molecule 4"):
        transformer.set_params(on_invalid="raise", cache=None).transform([*SMILES, "C1CC"])


def test_rows_are_dropped_by_another(transformer):
    with pytest.raises(ExLMError, match="to drop molecules together with their labels choose 'nan'"):
        transformer.set_params(on_invalid="drop").transform(SMILES)


def test_a_column_of_a_table(transformer):
    table = pd.DataFrame({"smiles": SMILES, "ph": [7.0, 7.4, 3.0, 9.0]})
    both = make_column_transformer((transformer, "smiles"), ("passthrough", ["ph"])).set_output(transform="pandas")
    features = both.fit_transform(table)
    assert features.shape == (4, 65)
    assert features["remainder__ph" if "remainder__ph" in features else "passthrough__ph"].tolist() == [
        7.0,
        7.4,
        3.0,
        9.0,
    ]


class OfNumbers(ExLMTransformer):
    """Takes the numbers that scikit-learn checks estimators with: a row stands for a chain of carbon atoms."""

    def transform(self, X):
        return super().transform(
            ["C" * (1 + int(10 * abs(row.sum())) % 9) for row in np.nan_to_num(np.array(X, float))]
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = True, False, False
        return tags


def test_scikit_learn_finds_nothing_wrong(tiny_model):
    wrong = {
        "check_estimator_sparse_tag": "fit does not look at the molecules, so that it cannot refuse a sparse matrix",
        "check_methods_subset_invariance": "a vector agrees to 1e-5 whatever is beside it, the check wants 1e-7",
    }
    check_estimator(OfNumbers(str(tiny_model), device="cpu"), expected_failed_checks=wrong, on_skip=None)
