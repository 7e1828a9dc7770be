"""The vector of a molecule depends on neither its place nor its company, for every pooling and layer."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.terms import Pooling
from tests.smiles_examples import DRUGS

SMILES = DRUGS[:6]


@pytest.fixture(scope="module")
def encoder(tiny_model: Path) -> ExLM:
    return ExLM.from_pretrained(tiny_model, "cpu")


@settings(deadline=None, max_examples=15, derandomize=True)
@given(
    pooling=st.sampled_from(get_args(Pooling)),
    layer=st.integers(-3, 2),
    rows=st.lists(st.integers(0, len(SMILES) - 1), max_size=8),
    batch_tokens=st.integers(1, 300),
    batch_size=st.integers(1, 20),
)
def test_company_decides_nothing(
    encoder: ExLM, pooling: Pooling, layer: int, rows: list[int], batch_tokens: int, batch_size: int
) -> None:
    together = encoder.embed([SMILES[row] for row in rows], pooling, batch_tokens, batch_size=batch_size, layer=layer)
    alone = np.array([encoder.embed(SMILES[row], pooling, layer=layer)[0] for row in rows], np.float32)
    np.testing.assert_allclose(together, alone.reshape(-1, encoder.vector_width(pooling)), atol=1e-5)
