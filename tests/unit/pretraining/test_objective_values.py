"""Molecule-level targets: the numbers, their store, and how they reach the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors, rdFingerprintGenerator

from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM, prepare_inputs
from exlm_chem.pretraining.batch_plan import Plan
from exlm_chem.pretraining.batching import MaskedBatches
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.corpus_builder import build_corpus
from exlm_chem.pretraining.objective_values import CHUNK, CLAMP, ObjectiveValues, build_objective_values
from exlm_chem.pretraining.objectives import molecule_objective, objective_values
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.terms import MoleculeObjective
from exlm_chem.tokenizer import ExLMTokenizer

TOKENIZER = ExLMTokenizer()
SMILES = [f"{'C' * (i % 9 + 1)}{'O' * (i % 2)}{'N' * (i % 3)}{'c1ccccc1' * (i % 4)}" for i in range(CHUNK + 100)]
SMILES[7] = "[Na+].CC(=O)[O-]"
SMILES[8] = "F/C=C/Cl"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("targets")
    (folder / "m.smi").write_text("\n".join(SMILES))
    return Corpus(build_corpus([folder / "m.smi"], TOKENIZER, cache=folder))


@pytest.fixture(scope="module")
def stores(corpus: Corpus) -> dict[str, ObjectiveValues]:
    return {name: build_objective_values(corpus, name, TOKENIZER, workers=2) for name in ("descriptors", "ecfp")}


def test_descriptors_are_those_of_rdkit() -> None:
    smiles = "CC(=O)Oc1ccccc1C(=O)O"
    molecule = Chem.MolFromSmiles(smiles)
    values = dict(
        zip(molecule_objective("descriptors").block.names, objective_values(smiles, "descriptors"), strict=True)
    )
    expected = {
        "exactmw": Descriptors.ExactMolWt(molecule),
        "tpsa": Descriptors.TPSA(molecule),
        "CrippenClogP": Crippen.MolLogP(molecule),
        "SlogP_VSA2": Descriptors.SlogP_VSA2(molecule),
        "PEOE_VSA1": Descriptors.PEOE_VSA1(molecule),
    }
    assert {name: pytest.approx(value, rel=1e-5) for name, value in expected.items()} == {
        n: values[n] for n in expected
    }


def test_what_does_not_exist_is_missing() -> None:
    assert np.isnan(objective_values("C1CC", "descriptors")).all()
    metal = objective_values("[Fe]", "descriptors")
    assert np.isnan(metal).any()
    assert not np.isnan(metal).all()
    assert not np.isinf(metal).any()


def test_store_holds_standardised_and_clamped_numbers(corpus: Corpus, stores: dict[str, ObjectiveValues]) -> None:
    store = stores["descriptors"]
    rows = np.array([0, 5, 7, CHUNK + 50])
    columns = [molecule_objective("descriptors").block.names.index(name) for name in store.names]
    raw = np.stack([objective_values(SMILES[row], "descriptors")[columns] for row in rows])
    expected = np.clip((raw - store.mean) / store.scale, -CLAMP, CLAMP)
    np.testing.assert_allclose(store[rows], expected, atol=5e-3)
    everything = store[np.arange(len(corpus))]
    spread = np.nanstd(everything, axis=0)
    assert np.nanmax(np.abs(everything)) <= CLAMP
    assert 0.9 < np.median(spread) < 1.1
    assert (np.array(store.scale) > 0).all()


def test_store_holds_exact_bits(stores: dict[str, ObjectiveValues]) -> None:
    rows = np.array([3, 8, CHUNK + 1])
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    expected = [generator.GetFingerprintAsNumPy(Chem.MolFromSmiles(SMILES[row])) for row in rows]
    assert np.array_equal(stores["ecfp"][rows], np.stack(expected))
    assert 0 < stores["ecfp"].baseline < 0.1


@pytest.mark.parametrize("name", ["descriptors", "ecfp"])
def test_nothing_is_known_of_what_rdkit_refuses(name: MoleculeObjective, tmp_path: Path) -> None:
    (tmp_path / "m.smi").write_text("CCO\nCC(C)(C)(C)C\n[H][H]\nc1cccc1\n[He]\n")
    corpus = Corpus(build_corpus([tmp_path / "m.smi"], TOKENIZER, check=False, cache=tmp_path))
    values = build_objective_values(corpus, name, TOKENIZER, workers=1)[np.arange(len(corpus))]
    assert np.isnan(values).all(1).tolist() == [False, True, False, True, False]


def test_only_what_is_missing_is_computed(corpus: Corpus, stores: dict[str, ObjectiveValues]) -> None:
    directory = corpus.directory / "targets-descriptors"
    before = (directory / "values.bin").read_bytes()
    done = np.memmap(directory / "done.bin", np.uint8, mode="r+")
    assert done.tolist() == [1, 1]
    done[1] = 0
    width = len(stores["descriptors"].names)
    values = np.memmap(directory / "values.bin", "float16", mode="r+", shape=(len(corpus), width))
    values[0], values[-1] = 3.0, 3.0  # the first lies in a chunk that is done, the last in the missing one
    shares: list[float] = []
    store = build_objective_values(corpus, "descriptors", TOKENIZER, workers=1, report=shares.append)
    assert shares == [1.0]
    assert (store[np.array([0])] == 3).all()
    assert (directory / "values.bin").read_bytes()[2 * width :] == before[2 * width :]


def test_batches_bring_the_targets_of_their_molecules(corpus: Corpus, stores: dict[str, ObjectiveValues]) -> None:
    config = ExLMConfig.preset("tiny", TOKENIZER.vocab_size, mask_token_id=TOKENIZER.mask_id)
    plan = Plan(corpus, config, mask_ratio=0.2, unmasked=0.5, batch_tokens=4096, seed=1)
    batches = MaskedBatches(plan, TOKENIZER, targets=[stores["ecfp"]])
    whole = molecules = 0
    for number in range(len(plan.pool(0, 0))):
        batch = batches[0, 0, number]
        rows = plan.pool(0, 0)[number][0]
        expected = np.stack([objective_values(SMILES[row], "ecfp") for row in rows[:3]])
        assert np.array_equal(batch.molecule_targets["ecfp"][:3].numpy(), expected)
        whole += batch.molecules - int((batch.inputs.num_masked > 0).sum())
        molecules += batch.molecules
    assert molecules == len(corpus)
    assert abs(whole / molecules - 0.5) < 0.06


@pytest.mark.parametrize("objective", ["exlm", "mlm"])
def test_rows_without_masks_teach_the_embedding_only(objective: str) -> None:
    config = ExLMConfig.preset(
        "tiny", 30, objective=objective, mask_token_id=29, molecule_objectives={"descriptors": 3, "ecfp": 2}
    )
    model = ExLMForMaskedLM(config).eval()
    ids = torch.tensor([[0, 29, 6, 2], [0, 7, 8, 2]])
    labels = torch.tensor([[-100, 5, -100, -100], [-100, -100, -100, -100]])
    nan = float("nan")
    targets = {"descriptors": torch.tensor([[1.0, nan, 0.0], [nan, nan, 2.0]]), "ecfp": torch.tensor([[1.0, 0.0]] * 2)}
    output = model(prepare_inputs(config, ids, labels), targets)
    torch.testing.assert_close(output.loss, model(prepare_inputs(config, ids[:1], labels[:1])).loss)
    assert output.molecule_losses.keys() == targets.keys()
    output.molecule_losses["descriptors"].backward()
    assert (model.molecule_heads["descriptors"].weight.grad[1] == 0).all()  # that target is known of no molecule
    assert (model.molecule_heads["descriptors"].weight.grad[[0, 2]] != 0).any(1).all()
    assert model.model.encoder.layers[0].attn.Wqkv.weight.grad.abs().sum() > 0


def test_nonsense_is_refused() -> None:
    with pytest.raises(ExLMError, match=r"must be of descriptors, ecfp or labels:TABLE, not 'fingerprints'"):
        PretrainingOptions(molecule_objectives=("fingerprints",))
    with pytest.raises(ExLMError, match=r"--unmasked 0.3 needs a --molecule-objective"):
        PretrainingOptions(unmasked=0.3)
