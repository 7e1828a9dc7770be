"""Batches of like length, for pretraining, embedding and fine-tuning."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exlm_chem.training.bucketing import cut_batches, length_batches


def test_batches_hold_every_index_once_within_their_bounds():
    lengths = np.random.default_rng(1).integers(1, 50, 97).tolist()
    batches = list(length_batches(lengths, batch_tokens=120, batch_size=5))
    assert sorted(sum(batches, [])) == list(range(97))  # noqa: RUF017
    assert all(len(batch) <= 5 and (len(batch) * max(lengths[i] for i in batch)) <= 120 for batch in batches)
    assert list(length_batches([500], batch_tokens=120, batch_size=5)) == [[0]]
    assert list(length_batches([], batch_tokens=120, batch_size=5)) == []


@pytest.mark.parametrize("falling", [False, True])
@given(st.lists(st.integers(1, 60), max_size=50), st.integers(1, 300), st.none() | st.integers(1, 9))
def test_batches_are_as_large_as_may_be(falling: bool, costs: list[int], tokens: int, size: int | None) -> None:
    ordered = np.array(sorted(costs, reverse=falling), np.int64)
    starts = cut_batches(ordered, tokens, size).tolist()
    assert (starts[0], starts[-1]) == (0, len(costs))
    most = size or len(costs)
    for start, end in itertools.pairwise(starts):
        rows = end - start
        assert rows == 1 or (rows <= most and rows * ordered[start:end].max() <= tokens)
        if end < len(costs):  # one more would have been too many
            assert rows == most or (rows + 1) * ordered[start : end + 1].max() > tokens
