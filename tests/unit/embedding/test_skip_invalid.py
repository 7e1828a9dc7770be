import sqlite3
from contextlib import closing
from functools import partial

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from exlm_chem import ExLMTransformer
from exlm_chem.embedding.skip_invalid import SkipInvalid, SkippingScorer
from exlm_chem.errors import ExLMError

GOOD = ["CCO", "CCN", "CCC", "CCCO", "CCCN", "c1ccccc1", "CCCCO", "CCCCN", "CC(C)O", "CC(C)N", "OCCO", "NCCN"]
MOLECULES = [*GOOD[:6], "C1CC", *GOOD[6:], "xyz"]
LABELS = np.array(["O" in one for one in MOLECULES]).astype(int)
BAD = [6, 13]


@pytest.fixture
def transformer(tiny_model):
    return ExLMTransformer(str(tiny_model), device="cpu")


def test_bad_molecules_are_left_out_with_their_labels(transformer):
    whole = make_pipeline(transformer, SkipInvalid(LogisticRegression())).fit(MOLECULES, LABELS)
    clean = make_pipeline(transformer, LogisticRegression()).fit(GOOD, np.delete(LABELS, BAD))
    answers = whole.predict_proba(MOLECULES)
    np.testing.assert_array_equal(np.delete(answers, BAD, 0), clean.predict_proba(GOOD))
    assert np.isnan(answers[BAD]).all()
    assert whole[-1].n_skipped_ == 2
    assert np.isnan(whole.predict(MOLECULES)[BAD]).all()
    assert whole.score(MOLECULES, LABELS) == clean.score(GOOD, np.delete(LABELS, BAD))
    assert whole.predict(["xyz"]).tolist() == pytest.approx([np.nan], nan_ok=True)


@pytest.mark.parametrize("scoring", [None, SkippingScorer("roc_auc")])
def test_grid_search_goes_through(transformer, scoring):
    pipeline = make_pipeline(transformer, SkipInvalid(RandomForestClassifier(5, random_state=0)))
    depths = {"skipinvalid__estimator__max_depth": [1, 3]}
    search = GridSearchCV(pipeline, depths, cv=2, scoring=scoring, error_score="raise").fit(MOLECULES, LABELS)
    assert np.isfinite(search.best_score_)
    assert np.isnan(search.predict(["C1CC"])).all()


@pytest.mark.filterwarnings("ignore:Casting complex values")  # one of the checks does
@pytest.mark.parametrize("estimator", [LogisticRegression(), Ridge()])
def test_scikit_learn_finds_nothing_wrong(estimator):
    check_estimator(SkipInvalid(estimator), on_skip=None)


def test_of_no_good_row_the_answers_have_the_usual_shape(transformer):
    words = np.array(["no", "yes"])[LABELS]
    model = make_pipeline(transformer, SkipInvalid(LogisticRegression())).fit(MOLECULES, words)
    assert model.predict(["C1CC", "xyz"]).tolist() == [None, None]
    assert model.predict_proba(["C1CC"]).shape == (1, 2)
    model.set_output(transform="pandas").fit(MOLECULES, words)
    assert model.predict_proba(["C1CC"]).shape == (1, 2)
    assert model[-1].feature_names_in_[0] == "exlm_0"


def test_scores_are_those_of_the_good_rows(transformer):
    model = make_pipeline(transformer, SkipInvalid(LogisticRegression())).fit(MOLECULES, LABELS)
    scorer = SkippingScorer("neg_log_loss")
    assert scorer(model, MOLECULES, LABELS) == pytest.approx(scorer(model, GOOD, np.delete(LABELS, BAD)), abs=1e-5)
    with pytest.raises(ValueError, match="NaN"):
        get_scorer("neg_log_loss")(model, MOLECULES, LABELS)
    for score in (model.score, partial(scorer, model)):
        with pytest.raises(ValueError, match="none of the molecules could be read"):
            score(["xyz"], [0])


def test_words_numbers_and_weights(transformer):
    words = np.array(["no", "yes"])[LABELS]
    model = make_pipeline(transformer, SkipInvalid(LogisticRegression())).fit(MOLECULES, words)
    assert model.predict(["CCO", "xyz"]).tolist()[1] is None
    assert model.classes_.tolist() == ["no", "yes"]
    weights = np.where(LABELS == 1, 1.0, 1e-9)
    ridge = make_pipeline(transformer, SkipInvalid(Ridge(1.0))).fit(
        MOLECULES, LABELS.astype(float), skipinvalid__sample_weight=weights
    )
    assert ridge.predict(["CCN"])[0] > 0.9  # those without O count next to nothing
    with pytest.raises(ValueError, match="none of the molecules could be read"):
        model.fit(["xyz"], ["no"])


@pytest.mark.parametrize("molecules", [["CCO"], ["CCO", "CCN", "CCC"], ["CCO", "xyz"], ["xyz"]])
def test_probabilities_of_several_outputs(transformer, molecules):
    """One array for each output, as the estimator gives them."""
    labels = np.column_stack([LABELS, 1 - LABELS])
    model = make_pipeline(transformer, SkipInvalid(RandomForestClassifier(5, random_state=0))).fit(MOLECULES, labels)
    first, second = model.predict_proba(molecules)
    assert first.shape == second.shape == (len(molecules), 2)
    np.testing.assert_array_equal(np.isnan(first).all(1), [one == "xyz" for one in molecules])
    forest = model[-1].estimator_
    if molecules[0] != "xyz":
        for ours, its in zip((first, second), forest.predict_proba(transformer.transform(["CCO"])), strict=True):
            np.testing.assert_array_equal(ours[:1], its)


@pytest.mark.parametrize("damage", ["substr(vector, 1, 4)", "substr(vector, 1, 7)", "zeroblob(260)", "NULL", "'text'"])
def test_damaged_vectors_are_computed_anew(transformer, tmp_path, damage):
    file = tmp_path / "a.sqlite"
    cached = ExLMTransformer(transformer.model, device="cpu", cache=file)
    expected = cached.transform(GOOD)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(f"UPDATE vectors SET vector = {damage}")  # noqa: S608
    np.testing.assert_array_equal(cached.transform(GOOD), expected)
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT min(length(vector)) FROM vectors").fetchone() == (4 * 64 + 4,)  # mended


def test_a_damaged_cache_is_told(transformer, tmp_path):
    file = tmp_path / "a.sqlite"
    cached = ExLMTransformer(transformer.model, device="cpu", cache=file)
    cached.transform(GOOD)
    file.write_bytes(file.read_bytes()[:4096] + bytes(file.stat().st_size - 4096))
    with pytest.raises(ExLMError, match=r"a\.sqlite cannot be used as a cache of vectors"):
        cached.transform(GOOD)


def test_vectors_are_kept_on_the_disk(transformer, tmp_path, monkeypatch):
    expected = transformer.transform(MOLECULES)
    cached = ExLMTransformer(transformer.model, device="cpu", cache=tmp_path / "a.sqlite")
    np.testing.assert_array_equal(cached.transform(MOLECULES), expected)
    asked = []
    embedder = cached._embedder()
    expected = np.vstack([expected, expected[:1], embedder.embed(["CCCCCC"])])
    embed = embedder.embed_inputs
    monkeypatch.setattr(embedder, "embed_inputs", lambda new, *a, **k: asked.append(len(new)) or embed(new, *a, **k))
    np.testing.assert_array_equal(cached.transform([*MOLECULES, "OCC", "CCCCCC"]), expected)
    assert asked == [1]  # hexane alone is new
    first = cached.set_params(pooling="first").transform(["CCO"])
    assert not np.array_equal(first[0], expected[0])
