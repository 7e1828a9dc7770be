"""`ExLMFeaturizer` in the hands of DeepChem: loaders, splitters, models, metrics."""

import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.finetuning.splits import scaffold_split
from exlm_chem.smiles.molecule import read_molecule

pytest.importorskip("deepchem", reason="deepchem is not installed; it is an extra")
pytestmark = [
    pytest.mark.deepchem,
    # DeepChem 2.8 and the libraries that it calls are older than NumPy 2 and pandas 3.
    pytest.mark.filterwarnings("ignore"),
]

BBBP = Path(__file__).parents[1] / "data" / "bbbp_300.csv"


@pytest.fixture(scope="module")
def dc():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import deepchem

        from exlm_chem import ExLMFeaturizer  # noqa: F401  (imports DeepChem without its noise)
    return deepchem


@pytest.fixture(scope="module")
def featurizer(dc, tiny_model):
    from exlm_chem import ExLMFeaturizer

    return ExLMFeaturizer(str(tiny_model), device="cpu", batch_size=64)


@pytest.fixture(scope="module")
def dataset(dc, featurizer):
    return dc.data.CSVLoader(["p_np"], featurizer, feature_field="smiles").create_dataset(str(BBBP), shard_size=128)


def table():
    lines = BBBP.read_text(encoding="utf-8").splitlines()[1:]
    return [line.rpartition(",")[::2] for line in lines]


def test_kind_and_description(dc, featurizer, tiny_model):
    assert isinstance(featurizer, dc.feat.MolecularFeaturizer)
    described = f"model='{tiny_model}', pooling='mean', batch_size=64, device='cpu', output='vectors', layer=-1"
    assert repr(featurizer) == f"ExLMFeaturizer[{described}]"


def test_vectors_are_those_of_the_embedder(featurizer, tiny_model):
    smiles = ["CCO", "c1ccccc1", "CCO"]
    expected = ExLM.from_pretrained(tiny_model, "cpu").embed(smiles)
    np.testing.assert_array_equal(featurizer.featurize(smiles), expected)
    np.testing.assert_array_equal(featurizer(smiles), expected)
    np.testing.assert_array_equal(featurizer.featurize([Chem.MolFromSmiles(one) for one in smiles]), expected)
    np.testing.assert_allclose(featurizer.featurize("OCC"), expected[:1], atol=1e-6)
    np.testing.assert_allclose(featurizer.featurize(Chem.MolFromSmiles("OCC")), expected[:1], atol=1e-6)
    assert featurizer.featurize([]).shape == (0, 64)


def test_failures_are_empty_arrays(featurizer, caplog):
    features = featurizer.featurize(["CCO", "C1CC", "", "CO"])
    assert features.dtype == object
    assert [one.size for one in features] == [64, 0, 0, 64]
    assert "Failed to featurize datapoint 1, 'C1CC': not SMILES" in caplog.text


def test_loader_drops_bad_rows_and_keeps_the_rest_aligned(dataset, featurizer):
    good = [(smiles, label) for smiles, label in table() if read_molecule(smiles).error is None]
    assert len(good) == 294
    assert dataset.ids.tolist() == [smiles for smiles, _ in good]
    assert dataset.y[:, 0].tolist() == [float(label) for _, label in good]
    assert (dataset.w == 1).all()
    assert dataset.X.shape == (294, 64)
    np.testing.assert_allclose(dataset.X, featurizer.featurize(list(dataset.ids)), atol=1e-5)


def circular(dc):
    return dc.feat.CircularFingerprint(size=64)


def json_lines(folder):
    import pandas as pd

    file = folder / "m.json"
    pd.DataFrame(table()[:40], columns=["smiles", "p_np"]).astype({"p_np": float}).to_json(
        file, orient="records", lines=True
    )
    return str(file)


def sdf(folder):
    file = folder / "m.sdf"
    with Chem.SDWriter(str(file)) as writer:
        for smiles, label in table()[:40]:
            molecule = Chem.MolFromSmiles(smiles)
            if molecule is not None:
                molecule.SetProp("p_np", label)
                writer.write(molecule)
    return str(file)


LOADERS = {
    "CSVLoader": lambda dc, one, _: dc.data.CSVLoader(["p_np"], one, feature_field="smiles").create_dataset(str(BBBP)),
    "CSVLoader in shards": lambda dc, one, _: dc.data.CSVLoader(
        ["p_np"], one, feature_field="smiles", id_field="smiles"
    ).create_dataset(str(BBBP), shard_size=7),
    "JsonLoader": lambda dc, one, folder: dc.data.JsonLoader(
        ["p_np"], feature_field="smiles", label_field="p_np", featurizer=one
    ).create_dataset(json_lines(folder)),
    "SDFLoader": lambda dc, one, folder: dc.data.SDFLoader(["p_np"], one, sanitize=True).create_dataset(sdf(folder)),
    "SDFLoader in shards": lambda dc, one, folder: dc.data.SDFLoader(["p_np"], one, sanitize=True).create_dataset(
        sdf(folder), shard_size=7
    ),
    "InMemoryLoader": lambda dc, one, _: dc.data.InMemoryLoader(["p_np"], one).create_dataset(
        [(smiles, float(label)) for smiles, label in table()[:20] if Chem.MolFromSmiles(smiles)]
    ),
    "InMemoryLoader without labels": lambda dc, one, _: dc.data.InMemoryLoader([], one).create_dataset(["CCO", "CCN"]),
}


@pytest.mark.parametrize("name", LOADERS)
def test_every_loader_beside_a_fingerprint(dc, featurizer, name, tmp_path):
    ours = LOADERS[name](dc, featurizer, tmp_path)
    fingerprint = LOADERS[name](dc, circular(dc), tmp_path)
    assert len(ours) == len(fingerprint) > 0
    assert list(ours.ids) == list(fingerprint.ids)
    np.testing.assert_array_equal(ours.y, fingerprint.y)
    assert ours.X.shape == fingerprint.X.shape
    assert np.isfinite(ours.X.astype(np.float32)).all()


def test_no_loader_of_molecules_is_forgotten(dc):
    # those of sequences, pictures, alignments, quantum chemistry have no molecules, UserCSVLoader takes no featurizer
    others = "DataLoader FASTALoader FASTQLoader ImageLoader DFTYamlLoader SAMLoader BAMLoader CRAMLoader UserCSVLoader"
    known = {name.split()[0] for name in LOADERS} | set(others.split())
    assert {name for name in dir(dc.data) if name.endswith("Loader")} <= known


def test_vectors_do_not_depend_on_the_positions_in_an_sdf(dc, featurizer, tmp_path):
    dataset = LOADERS["SDFLoader"](dc, featurizer, tmp_path)
    molecules = [molecule for molecule in Chem.SDMolSupplier(sdf(tmp_path)) if molecule is not None]
    np.testing.assert_allclose(np.stack(dataset.X).astype(np.float32), featurizer.featurize(molecules), atol=1e-5)
    positions = featurizer.featurize(["CCO"], pos_x=[[0.0]], pos_y=[[0.0]], pos_z=[[0.0]])
    np.testing.assert_array_equal(positions, featurizer.featurize(["CCO"]))


def test_our_scaffold_split_is_deepchems(dc, dataset):
    parts = dc.splits.ScaffoldSplitter().split(dataset)
    ours = scaffold_split(list(dataset.ids))
    assert list(parts) == [ours.train, ours.valid, ours.test]
    assert all(parts)


def test_models_learn_from_the_vectors(dc, dataset, tmp_path):
    import torch
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # Half of the molecules judge: with the usual tenth of 294, chance would decide.
    train, judged = dc.splits.ScaffoldSplitter().train_test_split(dataset, frac_train=0.5)
    assert len(train) + len(judged) == len(dataset)
    metric = dc.metrics.Metric(dc.metrics.roc_auc_score)
    linear = dc.models.SklearnModel(
        make_pipeline(StandardScaler(), LogisticRegression(C=0.01)), str(tmp_path / "linear")
    )
    linear.fit(train)
    assert linear.evaluate(judged, [metric])["roc_auc_score"] > 0.6

    torch.manual_seed(0)
    normalise = dc.trans.NormalizationTransformer(transform_X=True, dataset=train)
    neural = dc.models.MultitaskClassifier(
        1, 64, layer_sizes=[64], dropouts=0.2, learning_rate=0.003, model_dir=str(tmp_path / "neural")
    )
    neural.fit(normalise.transform(train), nb_epoch=20)
    assert neural.evaluate(normalise.transform(judged), [metric])["roc_auc_score"] > 0.6


def test_name_in_caches_tells_weights_apart(featurizer, tiny_model, tmp_path):
    from exlm_chem import ExLMFeaturizer

    shutil.copytree(tiny_model, tmp_path / "copy")
    ExLM.from_pretrained(tiny_model, "cpu").save_pretrained(tmp_path / "other")
    assert str(ExLMFeaturizer(tmp_path / "copy")) == str(featurizer)
    assert str(ExLMFeaturizer(tmp_path / "other")) != str(featurizer)
    assert str(ExLMFeaturizer(tiny_model, pooling="first")) != str(featurizer)
    assert str(ExLMFeaturizer(tiny_model, layer=-2)) != str(featurizer)
    assert str(featurizer).replace("_", "").isalnum()  # it becomes the name of a folder


def test_moleculenet_with_two_models(dc, featurizer, tiny_model, tmp_path):
    """The cache of one model must not be taken for that of another."""
    from exlm_chem import ExLMFeaturizer

    data = tmp_path / "data"
    data.mkdir()
    # MoleculeNet's own table has two columns more.
    rows = [f"{number},x,{label},{smiles}" for number, (smiles, label) in enumerate(table()[:60])]
    (data / "BBBP.csv").write_text("\n".join(["num,name,p_np,smiles", *rows]) + "\n", encoding="utf-8")
    places = {"data_dir": str(data), "save_dir": str(tmp_path / "cache"), "reload": True}
    loaded = [
        dc.molnet.load_bbbp(one, splitter="scaffold", transformers=[], **places)[1][0].X
        for one in (featurizer, ExLMFeaturizer(str(tiny_model), pooling="first", device="cpu"), featurizer)
    ]
    np.testing.assert_array_equal(loaded[0], loaded[2])
    assert not np.allclose(loaded[0], loaded[1])


def test_import_is_quiet_and_a_missing_deepchem_is_explained():
    code = """
import sys, exlm_chem
sys.modules["deepchem"] = None
try:
    exlm_chem.ExLMFeaturizer
except ImportError as error:
    print(error)
del sys.modules["deepchem"]
from exlm_chem import ExLMFeaturizer
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    needed = "ExLMFeaturizer and ExLMModel need DeepChem; run: pip install 'exlm-chem[deepchem]'\n"
    assert done.stdout == needed
