"""Contributions of atoms: what is masked is masked as in pretraining, and what is summed up is complete."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from rdkit import Chem

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.prediction.explanation.attribution import ExplainedModel, agreement, normalised
from exlm_chem.prediction.explanation.gradients import IntegratedGradients
from exlm_chem.prediction.explanation.occlusion import Occlusion
from exlm_chem.prediction.explanation.picture import picture
from exlm_chem.smiles.token_atoms import atoms_of_tokens
from exlm_chem.tokenizer import ExLMTokenizer
from tests.smiles_examples import DRUGS

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


@pytest.fixture(scope="module")
def encoder(tiny_model):
    return ExLM.from_pretrained(tiny_model, device="cpu")


@pytest.fixture(scope="module")
def model(encoder):
    """Two numbers: one bends, one is linear in the vector."""
    weights = np.random.default_rng(0).normal(size=(encoder.width, 2))

    def outputs(_text, vectors):
        linear = vectors @ weights
        return np.stack([np.tanh(linear[:, 0] / 10), linear[:, 1]], 1)

    return ExplainedModel(encoder, "mean", outputs)


@pytest.mark.parametrize("text", [*DRUGS, "[13CH3][Fe+2]*", "C%11CC%11", "[2H]C", "Cl[Se]Br"])
def test_atoms_are_numbered_as_rdkit_does(text) -> None:
    atoms = atoms_of_tokens(ExLMTokenizer().tokenize(text))
    molecule = Chem.MolFromSmiles(text)
    assert sorted(set(atoms) - {-1}) == list(range(molecule.GetNumAtoms()))
    tokens = ExLMTokenizer().tokenize(text)
    for atom in molecule.GetAtoms():
        own = "".join(token for token, number in zip(tokens, atoms, strict=True) if number == atom.GetIdx())
        assert atom.GetSymbol().lower() in own.lower()


def test_occlusion_is_the_difference_to_the_masked_molecule(model, encoder) -> None:
    found = Occlusion().contributions(model, ASPIRIN)
    assert found.shape == (13, 2)
    ids, atoms = model.tokens(ASPIRIN)
    network = encoder.model
    for atom in (0, 5, 12):
        masked = torch.from_numpy(np.where(atoms == atom, network.config.mask_token_id, ids))[None]
        with torch.inference_mode():
            vectors = [
                network.pool(network(rows, expand)).numpy()
                for rows, expand in (
                    (torch.from_numpy(ids)[None], None),
                    (masked, torch.from_numpy(atoms == atom)[None]),
                )
            ]
        whole, without = (model.outputs(ASPIRIN, vector)[0] for vector in vectors)
        np.testing.assert_allclose(found[atom], whole - without, atol=1e-4)


def test_integrated_gradients_are_complete(model, encoder) -> None:
    found = IntegratedGradients(steps=128).contributions(model, ASPIRIN)
    ids, atoms = model.tokens(ASPIRIN)
    masked = np.where(atoms >= 0, encoder.model.config.mask_token_id, ids)
    with torch.inference_mode():
        vectors = [encoder.model.embed(torch.from_numpy(rows)[None]).numpy() for rows in (ids, masked)]
    whole, baseline = (model.outputs(ASPIRIN, vector)[0] for vector in vectors)
    np.testing.assert_allclose(found.sum(0), whole - baseline, rtol=0.05, atol=0.02)


def test_a_head_that_rounds_what_it_reads_has_slopes_too(model, encoder) -> None:
    """As a kernel does, to what its landmarks are kept with."""
    step = float(encoder.embed([ASPIRIN]).std()) / 32
    rounding = replace(model, outputs=lambda text, vectors: model.outputs(text, np.round(vectors / step) * step))
    exact, found = (IntegratedGradients().contributions(one, ASPIRIN) for one in (model, rounding))
    np.testing.assert_allclose(found, exact, atol=0.1 * np.abs(exact).max())


def test_the_layer_whose_features_are_read_is_explained(model, encoder) -> None:
    inner = replace(model, layer=1)
    ids, atoms = model.tokens(ASPIRIN)
    rows = torch.from_numpy(ids)[None]
    with torch.inference_mode():
        hidden = torch.from_numpy(atoms == 5)[None]
        output = encoder.model(rows.masked_fill(hidden, encoder.model.config.mask_token_id), hidden)
        without = inner.outputs(ASPIRIN, encoder.model.pool(output, layer=1).numpy())[0]
    whole = inner.outputs(ASPIRIN, encoder.embed([ASPIRIN], layer=1))[0]
    np.testing.assert_allclose(Occlusion().contributions(inner, ASPIRIN)[5], whole - without, atol=1e-4)
    masked = rows.masked_fill(torch.from_numpy(atoms >= 0), encoder.model.config.mask_token_id)
    baseline = inner.outputs(ASPIRIN, encoder.model.embed(masked, layer=1).detach().numpy())[0]
    found = IntegratedGradients(steps=128).contributions(inner, ASPIRIN)
    np.testing.assert_allclose(found.sum(0), whole - baseline, rtol=0.05, atol=0.02)


@pytest.mark.parametrize("opinion", [Occlusion(), IntegratedGradients(4)], ids=lambda one: one.name)
def test_what_a_head_does_not_read_contributes_nothing(encoder, opinion) -> None:
    constant = ExplainedModel(encoder, "mean", lambda _, vectors: np.ones((len(vectors), 1)))
    found = opinion.contributions(constant, "CCO")
    assert found.tolist() == [[0.0]] * 3
    assert normalised(found).tolist() == [[0.0]] * 3
    assert np.isnan(agreement(found, found)).all()


@pytest.mark.parametrize("opinion", [Occlusion(), IntegratedGradients(4)], ids=lambda one: one.name)
def test_one_atom_and_the_same_again(model, opinion) -> None:
    assert opinion.contributions(model, "C").shape == (1, 2)
    np.testing.assert_array_equal(opinion.contributions(model, "CCO"), opinion.contributions(model, "CCO"))


def test_the_encoder_is_as_it_was(model, encoder) -> None:
    before = encoder.embed([ASPIRIN])
    IntegratedGradients(2).contributions(model, ASPIRIN)
    np.testing.assert_array_equal(encoder.embed([ASPIRIN]), before)
    assert all(one.grad is None for one in encoder.model.parameters())


def test_pictures_say_which_atoms_and_how_strong() -> None:
    molecule = Chem.MolFromSmiles(ASPIRIN)
    weights = np.zeros(13)
    weights[3], weights[7] = 1.0, -0.5
    drawn = picture(molecule, [weights, np.zeros(13)], ["first", "second"])
    assert drawn.count("<ellipse") == 2
    assert "fill:#3372D8" in drawn
