"""`ExLMModel`, the encoder fine-tuned inside DeepChem: it learns, skips what is missing, is saved and restored."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from rdkit import Chem

from exlm_chem import ExLM
from exlm_chem.errors import ExLMError

pytest.importorskip("deepchem", reason="deepchem is not installed; it is an extra")
pytestmark = [
    pytest.mark.deepchem,
    pytest.mark.filterwarnings("ignore"),  # DeepChem 2.8 is older than the libraries that it calls
]

SMILES = [
    "CCO", "CCN", "CCC", "CCCO", "CCCN", "CCCC", "OCCO", "NCCN",
    "c1ccccc1", "c1ccccc1O", "c1ccccc1N", "CC(C)O", "CC(C)N", "CC(=O)O", "CCCCCO", "CCCCCN",
]  # fmt: skip
OXYGENS = np.array([[float("O" in one)] for one in SMILES])
LENGTHS = np.array([[Chem.MolFromSmiles(one).GetNumAtoms(), one.count("C")] for one in SMILES], float)
TABLE = Path(__file__).parents[1] / "data" / "tox21_200.csv"


@pytest.fixture(scope="module")
def dc():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import deepchem

        from exlm_chem import ExLMModel  # noqa: F401  (imports DeepChem without its noise)
    return deepchem


@pytest.fixture
def make(dc, tiny_model):
    from exlm_chem import ExLMModel

    def make(*args, **kwargs):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002  (DeepChem shuffles by it)
        settings = {"learning_rate": 0.003, "dropout": 0.0, "batch_size": 16, "device": torch.device("cpu")}
        return ExLMModel(*args, model=tiny_model, **{**settings, **kwargs})

    return make


def weights_of(model):
    return [one.detach().clone() for one in model.model.parameters()]


def test_a_classification_is_learnt(dc, make):
    dataset = dc.data.NumpyDataset(np.array(SMILES), OXYGENS)
    model = make(1, "classification")
    model.fit(dataset, nb_epoch=30)
    assert model.evaluate(dataset, [dc.metrics.Metric(dc.metrics.roc_auc_score)]) == {"roc_auc_score": 1.0}
    probabilities = model.predict(dataset)
    assert probabilities.shape == (16, 1, 2)
    np.testing.assert_allclose(probabilities.sum(2), 1, atol=1e-6)
    molecules = dc.data.NumpyDataset(np.array([Chem.MolFromSmiles(one) for one in SMILES], dtype=object))
    np.testing.assert_allclose(model.predict(molecules), probabilities, atol=1e-5)


def test_regressions_are_learnt_in_their_units(dc, make):
    dataset = dc.data.NumpyDataset(np.array(SMILES), LENGTHS)
    scale = dc.trans.NormalizationTransformer(transform_y=True, dataset=dataset)
    model = make(2, "regression")
    model.fit(scale.transform(dataset), nb_epoch=60)
    assert model.predict(dataset, [scale]).shape == (16, 2, 1)
    score = model.evaluate(scale.transform(dataset), [dc.metrics.Metric(dc.metrics.r2_score)], [scale])
    assert score["r2_score"] > 0.95


@pytest.mark.parametrize("mode", ["classification", "regression"])
@pytest.mark.parametrize("label", [1.0, np.nan])
def test_what_is_missing_teaches_nothing(dc, make, mode, label):
    """Two tasks, of which the second is not known; and a molecule that cannot be read."""
    smiles, known = np.array([*SMILES[:4], "C1CC"]), np.array([[1.0], [0.0], [0.0], [1.0], [1.0]])
    w = np.tile([1.0, 0.0], (5, 1))
    learnt = []
    for y in (np.full((5, 1), label), np.zeros((5, 1))):
        model = make(2, mode)
        model.fit(dc.data.NumpyDataset(smiles, np.hstack([known, y]), w), nb_epoch=2, deterministic=True)
        learnt.append(weights_of(model))
    readable = make(2, mode)
    readable.fit(dc.data.NumpyDataset(smiles[:4], np.hstack([known, y])[:4], w[:4]), nb_epoch=2, deterministic=True)
    for first, second, third in zip(*learnt, weights_of(readable), strict=True):
        assert torch.equal(first, second)
        assert torch.equal(first, third)
    answers = readable.predict(dc.data.NumpyDataset(smiles))
    assert np.isnan(answers).any(2).all(1).tolist() == [False] * 4 + [True]


def test_batches_hold_molecules_of_like_length(dc, make):
    dataset = dc.data.NumpyDataset(np.array(SMILES), np.arange(16.0)[:, None])
    batches = list(make(1, batch_size=4).default_generator(dataset, deterministic=False))
    assert sorted(int(y) for _, (labels,), _ in batches for (y,) in labels) == list(range(16))
    lengths = sorted(len(one) + 2 for one in SMILES)  # <s> and </s>; no token of these has two letters
    assert sorted(inputs[0].shape[1] for inputs, _, _ in batches) == lengths[3::4]


@pytest.mark.parametrize("size", [1, 5, 9])
def test_a_last_batch_of_one_is_in_its_units(dc, make, size):
    dataset = dc.data.NumpyDataset(np.array(SMILES), LENGTHS)
    scale = dc.trans.NormalizationTransformer(transform_y=True, dataset=dataset)
    model, some = make(2, batch_size=4), dataset.select(range(size))
    expected = model.predict(some)[..., 0] * scale.y_stds + scale.y_means
    np.testing.assert_allclose(model.predict(some, [scale])[..., 0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("tasks", "mode", "labels", "reason"),
    [
        (1, "regression", LENGTHS, "labels of 2 tasks, and the model has n_tasks=1"),
        (2, "regression", OXYGENS, "labels of 1 tasks, and the model has n_tasks=2"),
        (2, "classification", OXYGENS, "labels of 1 tasks, and the model has n_tasks=2"),
        (1, "classification", OXYGENS + 1, "labels of 2 classes are 0 to 1, and one is 2"),
        (1, "classification", OXYGENS / 2, "labels of 2 classes are 0 to 1, and one is 0.5"),
    ],
)
def test_other_labels_are_refused(dc, make, tasks, mode, labels, reason):
    with pytest.raises(ExLMError, match=reason):
        make(tasks, mode).fit(dc.data.NumpyDataset(np.array(SMILES), labels), nb_epoch=1)


def test_a_missing_label_may_be_anything(dc, make):
    labels = np.hstack([OXYGENS, np.full((16, 1), -1.0)])
    dataset = dc.data.NumpyDataset(np.array(SMILES), labels, np.tile([1.0, 0.0], (16, 1)))
    assert make(2, "classification").fit(dataset, nb_epoch=1) > 0


def test_weights_of_labels_count(dc, make):
    smiles, y = np.array(["CCO", "CCO"]), np.array([[0.0], [1.0]])
    model = make(1, "classification")
    model.fit(dc.data.NumpyDataset(smiles, y, np.array([[1.0], [3.0]])), nb_epoch=60)
    assert model.predict_on_batch(np.array(["CCO"]))[0, 0, 1] == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("mode", ["classification", "regression"])
def test_uncertainty(dc, make, mode):
    dataset = dc.data.NumpyDataset(np.array(SMILES), OXYGENS)
    model = make(1, mode, uncertainty=True, dropout=0.2)
    model.fit(dataset, nb_epoch=2)
    torch.manual_seed(0)
    mean, spread = model.predict_uncertainty(dataset, masks=5)
    plain = model.predict(dataset)
    assert mean.shape == spread.shape == plain.shape
    assert (spread > 1e-4).all()
    assert not np.array_equal(mean, plain)
    np.testing.assert_array_equal(model.predict(dataset), plain)  # dropout is off again
    with pytest.raises(ExLMError, match="uncertainty needs dropout"):
        make(1, mode, uncertainty=True)
    with pytest.raises(ValueError, match="cannot compute uncertainties"):
        make(1, mode).predict_uncertainty(dataset)


def test_saved_and_restored(dc, make, tmp_path):
    dataset = dc.data.NumpyDataset(np.array(SMILES), OXYGENS)
    model = make(1, "classification", model_dir=str(tmp_path / "model"))
    model.fit(dataset, nb_epoch=2)
    again = make(1, "classification", model_dir=str(tmp_path / "model"))
    assert not np.array_equal(again.predict(dataset), model.predict(dataset))
    again.restore()
    np.testing.assert_array_equal(again.predict(dataset), model.predict(dataset))
    assert again.get_global_step() == 2
    other = make(3, "regression")  # other tasks, on the encoder that was fine-tuned
    other.load_from_pretrained(model, include_top=False)
    np.testing.assert_array_equal(other.predict_embedding(dataset), model.predict_embedding(dataset))


def test_the_encoder_goes_elsewhere(dc, make, tiny_model, tmp_path):
    dataset = dc.data.NumpyDataset(np.array(SMILES), OXYGENS)
    model = make(1, "classification", dropout=0.1)
    pretrained = ExLM.from_pretrained(tiny_model, "cpu").embed(SMILES)
    np.testing.assert_allclose(model.predict_embedding(dataset), pretrained, atol=1e-5)
    model.fit(dataset, nb_epoch=2)
    model.save_pretrained(tmp_path / "encoder")
    tuned = ExLM.from_pretrained(tmp_path / "encoder", "cpu")
    np.testing.assert_allclose(tuned.embed(SMILES), model.predict_embedding(dataset), atol=1e-5)
    assert not np.allclose(tuned.embed(SMILES), pretrained, atol=1e-3)
    assert tuned.model.config.hidden_dropout == 0


def test_a_table_with_gaps_and_molecules_that_cannot_be_read(dc, make, tiny_model, tmp_path):
    from exlm_chem import ExLMFeaturizer

    featurizer = ExLMFeaturizer(tiny_model, device="cpu", output="smiles")
    assert featurizer.featurize(["OCC", Chem.MolFromSmiles("OC")]).tolist() == ["CCO", "CO"]
    assert str(featurizer) != str(ExLMFeaturizer(tiny_model, device="cpu"))
    lines = TABLE.read_text(encoding="utf-8").splitlines()[:40]
    file = tmp_path / "tox21.csv"
    file.write_text("\n".join([*lines, "C1CC" + lines[1][lines[1].index(",") :]]) + "\n", encoding="utf-8")
    tasks = lines[0].split(",")[1:3]
    dataset = dc.data.CSVLoader(tasks, featurizer, feature_field="smiles").create_dataset(str(file), shard_size=16)
    assert len(dataset) == 39
    assert 0 < (dataset.w == 0).sum() < dataset.w.size
    model = make(2, "classification")
    assert np.isfinite(model.fit(dataset, nb_epoch=1))
    assert model.predict(dataset).shape == (39, 2, 2)
    assert make(2, "classification", n_classes=3).predict(dataset).shape == (39, 2, 3)
    with pytest.raises(ExLMError, match="output must be 'vectors' or 'smiles'"):
        ExLMFeaturizer(output="tokens")
    with pytest.raises(ExLMError, match="mode must be 'classification' or 'regression'"):
        make(1, "ranking")


def test_hugging_face_model_of_deepchem(dc, tiny_model, tmp_path):
    """Pretraining goes on inside DeepChem, and what comes out is a model directory as any other."""
    pytest.importorskip("transformers")
    from deepchem.models.torch_models.hf_models import HuggingFaceModel
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    import exlm_chem.hf  # noqa: F401  (makes transformers know our classes)

    def make():
        module, tokenizer = AutoModelForMaskedLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
        settings = {"learning_rate": 0.003, "batch_size": 16, "model_dir": str(tmp_path / "checkpoints")}
        return HuggingFaceModel(module, tokenizer, task="mlm", device=torch.device("cpu"), **settings)

    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  (DeepChem shuffles by it)
    dataset = dc.data.NumpyDataset(np.array(SMILES))
    model = make()
    first, last = (model.fit(dataset, nb_epoch=epochs) for epochs in (1, 25))
    assert last < 0.8 * first
    again = make()
    again.restore()
    assert all(map(torch.equal, weights_of(again), weights_of(model)))
    assert model.predict(dataset).shape == (16, 11, 430)  # scores of tokens; masks are drawn anew
    model.tokenizer.save_pretrained(tmp_path / "trained")
    model.model.save_pretrained(tmp_path / "trained")
    vectors = [ExLM.from_pretrained(path, "cpu").embed(SMILES) for path in (tiny_model, tmp_path / "trained")]
    assert np.isfinite(vectors).all()
    assert not np.allclose(*vectors, atol=1e-3)


@pytest.mark.parametrize(
    ("task", "settings"),
    [("regression", {"num_labels": 1, "problem_type": "regression"}), ("classification", {"num_labels": 2})],
)
def test_hugging_face_model_of_deepchem_learns_labels(dc, tiny_model, tmp_path, task, settings):
    pytest.importorskip("transformers")
    from deepchem.models.torch_models.hf_models import HuggingFaceModel
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    import exlm_chem.hf  # noqa: F401  (makes transformers know our classes)

    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  (DeepChem shuffles by it)
    module = AutoModelForSequenceClassification.from_pretrained(tiny_model, **settings)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    given = {"learning_rate": 0.003, "batch_size": 16, "model_dir": str(tmp_path), "device": torch.device("cpu")}
    model = HuggingFaceModel(module, tokenizer, task=task, **given)
    labels = np.array([[float("N" in one)] for one in SMILES])
    dataset = dc.data.NumpyDataset(np.array(SMILES), labels)
    first, last = (model.fit(dataset, nb_epoch=epochs) for epochs in (1, 40))
    assert last < 0.5 * first
    assert model.predict(dataset).shape == (len(SMILES), settings["num_labels"])
