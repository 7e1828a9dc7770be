"""Vectors of tokens: one for each, their mean is that of the molecule."""

import numpy as np
import pytest

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.embedding.token_vectors import token_vectors

SMILES = ["OC(=O)c1ccccc1OC(C)=O", "C", "C1CC", "[13CH4]", "CCO"]


@pytest.mark.parametrize("layer", [-1, -2, 0])
def test_rows_are_those_of_the_tokens(tiny_model, layer):
    encoder = ExLM.from_pretrained(tiny_model, "cpu")
    found = token_vectors(encoder, SMILES, layer)
    vectors = encoder.embed(SMILES, layer=layer)
    for smiles, rows, vector in zip(SMILES, found, vectors, strict=True):
        if smiles == "C1CC":  # which is no molecule
            assert rows.shape == (0, encoder.width)
            continue
        tokens = encoder.tokenizer.tokenize(encoder.read(smiles).molecule.smiles)
        assert rows.shape == (len(tokens), encoder.width)
        np.testing.assert_allclose(rows.mean(0), vector, atol=1e-5)
    alone = token_vectors(encoder, SMILES[::-1], layer, batch_size=1)[::-1]
    for rows, other in zip(found, alone, strict=True):
        np.testing.assert_allclose(rows, other, atol=1e-5)
    assert token_vectors(encoder, []) == []
