from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from rdkit import Chem

from exlm_chem.embedding.backends.torch_backend import pick_device
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMConfig, ExLMModel
from exlm_chem.smiles.molecule import canonical_smiles, randomised_smiles
from exlm_chem.terms import Pooling
from exlm_chem.tokenizer import ExLMTokenizer

DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "C",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "C[C@H](N)C(=O)O",
    "[Na+].[Cl-]",
    "c1ccc2c(c1)ccc1ccccc12",
]


@pytest.fixture(scope="module")
def embedder(tiny_model):
    return ExLM.from_pretrained(tiny_model, device="cpu")


def test_one_by_one_is_the_same_as_together(embedder):
    together = embedder.embed(DRUGS)
    assert together.dtype == np.float32
    assert together.shape == (len(DRUGS), embedder.width)
    for smiles, vector in zip(DRUGS, together, strict=True):
        np.testing.assert_allclose(embedder.embed([smiles])[0], vector, atol=1e-5)
    assert np.linalg.norm(together[0] - together[1]) > 0.1


@pytest.mark.parametrize("pooling", get_args(Pooling))
@pytest.mark.parametrize(("batch_tokens", "batch_size"), [(1, 1), (30, 100), (8192, 2), (8192, 3), (8192, 6)])
def test_batches_decide_nothing(embedder, pooling, batch_tokens, batch_size):
    expected = embedder.embed(DRUGS, pooling)
    found = embedder.embed(DRUGS, pooling, batch_tokens, batch_size=batch_size)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    order = np.random.default_rng(0).permutation(len(DRUGS))
    shuffled = embedder.embed([DRUGS[i] for i in order], pooling, batch_tokens, batch_size=batch_size)
    np.testing.assert_allclose(shuffled, expected[order], atol=1e-5)


def test_spelling_of_a_molecule_decides_nothing(embedder):
    for smiles in DRUGS:
        written = [smiles, *(randomised_smiles(smiles, seed) for seed in range(3)), f"  {smiles} a name"]
        assert len(np.unique(embedder.embed(written), axis=0)) == 1


def test_mean_is_over_the_tokens_that_are_not_special(embedder):
    ids = torch.tensor([embedder.tokenizer.encode(canonical_smiles("CCO"))])
    features = embedder.model(ids).last_hidden_state[0]
    states = embedder.model.config.num_states
    np.testing.assert_allclose(
        embedder.embed("CCO")[0], features[states : len(features) - states].mean(0).detach(), atol=1e-5
    )
    np.testing.assert_allclose(embedder.embed("CCO", "first")[0], features[0].detach(), atol=1e-5)


def test_poolings_and_layers_are_of_the_features_of_the_model(embedder):
    ids = torch.tensor([embedder.tokenizer.encode(canonical_smiles("CCO"))])
    output = embedder.model(ids)
    states = embedder.model.config.num_states
    middle = output.layers[1][0].detach().numpy()
    middle = middle[states : len(middle) - states].mean(0)
    for layer, features in enumerate(output.layers):
        rows = features[0].detach().numpy()
        molecule = rows[states : len(rows) - states]
        expected = {
            "mean+middle": np.concatenate([molecule.mean(0), middle]),
            "mean+max": np.concatenate([molecule.mean(0), molecule.max(0)]),
            "states": rows[:states].reshape(-1),
            "first": rows[0],
        }
        for pooling, vector in expected.items():
            assert embedder.vector_width(pooling) == len(vector)
            for number in (layer, layer - len(output.layers)):
                np.testing.assert_allclose(embedder.embed("CCO", pooling, layer=number)[0], vector, atol=1e-5)
    with pytest.raises(ExLMError, match="there is no layer 3: this model has 0 to 2, or from the end -1 to -3"):
        embedder.embed("CCO", layer=3)
    plain = ExLM(ExLMModel(replace(embedder.model.config, objective="mlm")), embedder.tokenizer, "cpu")
    np.testing.assert_array_equal(plain.embed(DRUGS, "states"), plain.embed(DRUGS, "first"))  # nothing is expanded


@pytest.mark.parametrize("count", [0, 1, 2, 257, 1000])
def test_every_count(embedder, count):
    vectors = embedder.embed(["CCO"] * count)
    assert vectors.shape == (count, embedder.width)
    assert len(np.unique(vectors, axis=0)) == min(count, 1)


def test_molecules_without_a_vector(embedder):
    cells = ["CCO", "C1CC", "", None, float("nan"), "C" * 500, 5, "CO"]
    vectors = embedder.embed(cells)
    assert np.isnan(vectors).all(axis=1).tolist() == [False, True, True, True, True, True, True, False]
    np.testing.assert_allclose(vectors[[0, 7]], embedder.embed(["CCO", "CO"]), atol=1e-6)
    assert embedder.embed(["nothing", None]).shape == (2, embedder.width)
    with pytest.raises(ExLMError, match=r"molecule 1 \('C1CC'\) has no vector: .*ring closure 1 is never closed"):
        embedder.embed(cells, on_invalid="raise")


def test_longest_molecule_is_read_and_one_more_atom_is_not(embedder):
    longest = embedder.model.config.max_tokens - 2
    assert np.isfinite(embedder.embed("C" * longest)).all()
    one = embedder.read("C" * (longest + 1))
    assert not one.token_ids
    assert one.molecule.error == f"too long for this model: {longest + 1} tokens, and it reads {longest}"


def test_molecules_of_rdkit_and_standardisation(embedder):
    np.testing.assert_allclose(embedder.embed(Chem.MolFromSmiles("OCC")), embedder.embed(["CCO"]), atol=1e-6)
    salt = embedder.embed("CC(=O)[O-].[Na+]", standardise="parent")
    np.testing.assert_allclose(salt, embedder.embed("CC(=O)O"), atol=1e-6)


def test_saved_model_gives_the_same_vectors(embedder, tiny_model, tmp_path):
    embedder.save_pretrained(tmp_path)
    again = ExLM.from_pretrained(tmp_path, device="cpu")
    np.testing.assert_array_equal(again.embed(DRUGS), embedder.embed(DRUGS))
    in_memory = ExLM(again.model, again.tokenizer, "cpu")
    assert in_memory.fingerprint == again.fingerprint
    assert again.fingerprint != embedder.fingerprint  # that file holds the masked language model's head too
    assert embedder.fingerprint == ExLM.from_pretrained(tiny_model).fingerprint


def test_nothing_is_left_to_be_trained(embedder):
    assert not embedder.model.training
    before = {name: value.clone() for name, value in embedder.model.state_dict().items()}
    embedder.embed(DRUGS)
    assert all(torch.equal(value, before[name]) for name, value in embedder.model.state_dict().items())


def test_faults_are_told_in_one_sentence(embedder, tmp_path):
    with pytest.raises(ExLMError, match="no model"):
        ExLM.from_pretrained(tmp_path / "none")
    with pytest.raises(ExLMError, match="pooling must be"):
        embedder.embed(["C"], pooling="max")
    with pytest.raises(ExLMError, match="on_invalid must be"):
        embedder.embed(["C"], on_invalid="drop")
    with pytest.raises(ExLMError, match="there is no device 'gpu'"):
        pick_device("gpu")
    with pytest.raises(ExLMError, match="do not belong together"):
        ExLM(ExLMModel(ExLMConfig.preset("tiny", 7)), ExLMTokenizer())


def test_zero_has_no_sign(tiny_model, monkeypatch):
    embedder = ExLM.from_pretrained(tiny_model, "cpu", "torch")
    monkeypatch.setattr(embedder.model, "embed", lambda ids, *_: torch.full((len(ids), embedder.width), -0.0))
    assert not np.signbit(embedder.embed(["CCO", "C"])).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *(({"batch_tokens": value}, "--batch-tokens must be a whole number") for value in (0, -1, float("nan"), 1.5)),
        *(({"batch_size": value}, "--batch-size must be a whole number") for value in (0, None)),
        ({"standardise": "salt"}, "unknown standardisation rule"),
    ],
)
def test_what_cannot_be_is_refused(embedder, arguments, message):
    with pytest.raises(ExLMError, match=message):
        embedder.embed(["CCO"], **arguments)


@pytest.mark.parametrize("name", ["meta", "hpu", "", "cuda:x", "vulkan"])
def test_what_is_no_device_for_molecules(name):
    with pytest.raises(ExLMError, match=r"there is no device .*; choose auto, cpu"):
        pick_device(name)


def test_a_repeated_molecule_is_read_once(embedder, monkeypatch):
    cells = []
    read = embedder.read
    monkeypatch.setattr(embedder, "read", lambda *cell: cells.append(cell[0]) or read(*cell))
    molecule = Chem.MolFromSmiles("CCO")
    inputs = embedder.read_all(["CCO", molecule, "C", "CCO", None, molecule, "C1CC", None])
    assert cells == ["CCO", molecule, "C", None, "C1CC"]
    assert [one.molecule.smiles for one in inputs] == ["CCO", "CCO", "C", "CCO", "", "CCO", "", ""]
