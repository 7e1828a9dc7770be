"""Proposals: what is given, in which order, and that none is called valid that is not."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from rdkit import Chem, rdBase

from exlm_chem.errors import ExLMError
from exlm_chem.generation.infill import Infiller, Proposal, _chosen
from exlm_chem.generation.options import FillOptions
from exlm_chem.generation.template import Template
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
from exlm_chem.smiles.molecule import canonical_smiles
from exlm_chem.tokenizer import ExLMTokenizer


@pytest.fixture(scope="module")
def shipped() -> Infiller:
    return Infiller.from_pretrained("exlm-small", device="cpu")


@pytest.fixture(scope="module")
def random_one(tiny_model: Path) -> Infiller:
    return Infiller.from_pretrained(tiny_model, device="cpu")


def reads(smiles: str) -> bool:
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    return molecule is not None and molecule.GetNumAtoms() > 0


@pytest.mark.parametrize("drawn", [{}, {"temperature": 1.5}, {"top_p": 0.9}])
def test_proposals_are_ordered_distinct_and_honest_about_validity(
    random_one: Infiller, drawn: dict[str, float]
) -> None:
    proposals = random_one.fill("C[MASK]c1cc[MASK]cc1", FillOptions(number=40, seed=1, **drawn))
    assert len({one.canonical or one.smiles for one in proposals}) == len(proposals) == 40
    assert [one.log_likelihood for one in proposals] == sorted((p.log_likelihood for p in proposals), reverse=True)
    assert [one.valid for one in proposals] == [reads(one.smiles) for one in proposals]
    assert all("[MASK]" not in one.smiles and len(one.filled) == 2 for one in proposals)
    assert not {"<s>", "</s>", "<pad>", "<unk>", "<mask>"} & {token for one in proposals for token in one.filled}


def test_a_model_of_selfies_proposes_molecules() -> None:
    tokenizer = ExLMTokenizer("selfies")
    config = ExLMConfig(
        vocab_size=tokenizer.vocab_size,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        mask_token_id=tokenizer.mask_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        infiller = Infiller(ExLMForMaskedLM(config), tokenizer, device="cpu")
    proposals = infiller.fill("CC(=O)Nc1ccc(O)cc1", number=50, mask_atoms=(2, 3), skip_parent=True, valid_only=True)
    assert len(proposals) == 50  # random weights, and yet
    assert all(one.canonical == canonical_smiles(one.smiles) for one in proposals)
    unlimited = infiller.fill("[C][C][MASK][MASK][F]", number=50)
    assert sum(one.valid for one in unlimited) > 35  # but for ions with too many bonds


def test_valid_only_gives_as_many_as_there_are(shipped: Infiller) -> None:
    proposals = shipped.fill("c1ccc([MASK])cc1", FillOptions(number=100, valid_only=True))
    assert len(proposals) == 100
    assert all(reads(one.smiles) for one in proposals)
    assert shipped.fill("C1CC[MASK]", FillOptions(number=500, valid_only=True))[0].smiles == "C1CC1"


def test_one_molecule_that_is_written_in_two_ways_is_one_proposal(shipped: Infiller) -> None:
    proposals = shipped.fill("[MASK]C[MASK]", FillOptions(number=60, valid_only=True))
    assert {"OCN", "NCO"} & {one.smiles for one in proposals}
    assert not {"OCN", "NCO"} <= {one.smiles for one in proposals}


def test_of_the_texts_of_a_molecule_that_were_drawn_the_best_is_there() -> None:
    template = Template((None, None, None))
    texts = [(("O", "C", "C"), -3.0), (("C", "C", "N"), -5.0), (("C", "C", "O"), -1.0), (("C", "C", "C"), -9.0)]
    drawn = [Proposal(template, filled, value, canonical_smiles("".join(filled))) for filled, value in texts]
    chosen = _chosen([drawn], FillOptions(number=2, temperature=1.0), "")
    assert chosen == [drawn[2], drawn[1]]  # the molecules that came first


def test_the_parent_can_be_left_out(shipped: Infiller) -> None:
    parent = "Oc1ccccc1"
    with_it, without = (shipped.fill(parent, number=5, mask_atoms=(0,), skip_parent=skip) for skip in (False, True))
    assert parent in {one.canonical for one in with_it}
    assert [one.smiles for one in without[:4]] == [one.smiles for one in with_it if one.canonical != parent]


def test_masked_atoms_become_atoms(random_one: Infiller) -> None:
    proposals = random_one.fill("CCOC", number=100, mask_atoms=(1, 2))
    assert {len(one.changed_atoms) for one in proposals} == {2}
    assert {len(one.changed_atoms) for one in random_one.fill("C[MASK][MASK]C", number=100)} > {2}


def test_spans_of_all_lengths_are_ordered_by_the_likelihood_of_a_mask(shipped: Infiller) -> None:
    options = FillOptions(number=20, span=(1, 4), smarts="C(=O)N", valid_only=True)
    proposals = shipped.fill("CC(=O)Nc1ccc(O)cc1", options)
    assert len({len(one.filled) for one in proposals}) > 2
    assert [one.order for one in proposals] == sorted((one.order for one in proposals), reverse=True)
    assert all(one.smiles.startswith("C") and one.smiles.endswith("c1ccc(O)cc1") for one in proposals)


def test_a_likelihood_does_not_depend_on_how_it_was_found(shipped: Infiller) -> None:
    best = {one.smiles: one for one in shipped.fill("CC(=O)[MASK][MASK]c1ccccc1", FillOptions(number=50))}
    spanned = shipped.fill("CC(=O)[MASK]c1ccccc1", FillOptions(number=50, span=(1, 3), temperature=1.0, seed=4))
    both = [(one, best[one.smiles]) for one in spanned if len(one.filled) == 2 and one.smiles in best]
    assert len(both) > 5
    assert all(math.isclose(one.log_likelihood, two.log_likelihood, abs_tol=1e-3) for one, two in both)


def test_the_seed_decides_what_is_drawn(random_one: Infiller) -> None:
    def drawn(seed: int) -> list[str]:
        return [one.smiles for one in random_one.fill("C[MASK][MASK]", FillOptions(temperature=1.0, seed=seed))]

    assert drawn(1) == drawn(1) != drawn(2)


def test_many_masks_and_proposals_need_little_memory(random_one: Infiller, monkeypatch: pytest.MonkeyPatch) -> None:
    options = FillOptions(number=30, temperature=1.0)
    before = [random_one.fill("C[MASK][MASK]", options), random_one.fill("C[MASK][MASK]", number=9)]
    monkeypatch.setattr("exlm_chem.modeling.mask_graph.MOST_NUMBERS", 16 * 16 * 4)
    assert len(random_one.fill("C[MASK][MASK]", options)) <= len(before[0])
    assert random_one.fill("C[MASK][MASK]", number=9) == before[1]
    with pytest.raises(ExLMError, match="too many masks: 51, and 50 can be filled together"):
        random_one.fill("[MASK]" * 51)


def test_what_is_too_long_or_has_no_head_is_refused(random_one: Infiller, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ExLMError, match="too long for this model: 312 tokens and states, and it reads 248"):
        random_one.fill("C" * 300 + "[MASK]" * 3)
    from exlm_chem.modeling import ExLMModel
    from exlm_chem.tokenizer import ExLMTokenizer

    ExLMModel.from_pretrained(tiny_model).save_pretrained(tmp_path)
    ExLMTokenizer().save_pretrained(tmp_path)
    with pytest.raises(ExLMError, match="no head that scores tokens"):
        Infiller.from_pretrained(tmp_path)


@pytest.mark.parametrize("span", [(0, 2), (3, 1), (1, 21)])
def test_spans_that_cannot_be(span: tuple[int, int]) -> None:
    with pytest.raises(ExLMError, match="--span takes from 1 to 20 masks"):
        FillOptions(span=span)
