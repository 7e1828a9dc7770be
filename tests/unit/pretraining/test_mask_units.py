"""What is masked together."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exlm_chem.pretraining.mask_units import mask_units
from exlm_chem.pretraining.masking import draw_mask_counts, mask_tokens
from exlm_chem.terms import MaskUnit
from exlm_chem.tokenizer import ExLMTokenizer

TOKENIZER = ExLMTokenizer()
SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "CCCCNC(=O)c1ccc(OC)cc1", "[Na+].[O-]C(=O)C", "[H]C([H])=O", "C", "[13CH3]CCOCC"]


def batch(texts: list[str]) -> np.ndarray:
    return TOKENIZER.pad([TOKENIZER.encode(text) for text in texts])


@pytest.mark.parametrize("unit", get_args(MaskUnit))
@given(
    texts=st.lists(st.sampled_from(SMILES), min_size=1, max_size=6), ratio=st.floats(0.05, 0.9), seed=st.integers(0, 99)
)
def test_every_unit_masks_as_many_tokens(unit: MaskUnit, texts: list[str], ratio: float, seed: int) -> None:
    ids, generator = batch(texts), np.random.default_rng(seed)
    lengths = (ids != TOKENIZER.pad_id).sum(axis=1)
    counts = draw_mask_counts(lengths, ratio, 0.0, generator)
    units = mask_units(unit, ids, TOKENIZER, generator)
    masked, labels = mask_tokens(ids, counts, TOKENIZER.unk_id + 1, TOKENIZER.mask_id, generator, units)
    assert ((masked == TOKENIZER.mask_id).sum(axis=1) == counts).all()
    assert (np.where(masked == TOKENIZER.mask_id, labels, masked) == ids).all()


def test_a_fragment_is_masked_as_a_whole_before_the_next() -> None:
    ids = batch(["CCCCNC(=O)c1ccc(OC)cc1"])
    units = mask_units("fragment", ids, TOKENIZER, np.random.default_rng(0))
    assert units is not None
    plain = ids[0] > TOKENIZER.unk_id
    for seed in range(20):
        masked, _ = mask_tokens(
            ids, np.array([7]), TOKENIZER.unk_id + 1, TOKENIZER.mask_id, np.random.default_rng(seed), units
        )
        hidden = masked[0] == TOKENIZER.mask_id
        shares = [hidden[plain & (units[0] == unit)].mean() for unit in set(units[0][plain])]
        assert sum(0 < share < 1 for share in shares) <= 1


def test_spans_are_neighbours() -> None:
    ids = batch(["C" * 60] * 50)
    runs = {}
    for unit in ("token", "span"):
        generator = np.random.default_rng(1)
        units = mask_units(unit, ids, TOKENIZER, generator)
        masked, _ = mask_tokens(ids, np.full(50, 12), TOKENIZER.unk_id + 1, TOKENIZER.mask_id, generator, units)
        hidden = masked == TOKENIZER.mask_id
        runs[unit] = int((hidden[:, 1:] & ~hidden[:, :-1]).sum())
    assert runs["span"] < 0.6 * runs["token"]


def test_what_rdkit_cannot_read_is_one_unit() -> None:
    units = mask_units("fragment", batch(["C(C)(C)(C)(C)C"]), TOKENIZER, np.random.default_rng(0))
    assert units is not None
    assert not units.any()
