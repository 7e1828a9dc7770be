"""The encoder as a block."""

import subprocess
import sys
from typing import get_args

import numpy as np
import pytest

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.features.compute import compute_blocks
from exlm_chem.features.exlm import ExlmBlock
from exlm_chem.features.registry import block_spec, make_blocks, read_block
from exlm_chem.terms import Pooling


@pytest.fixture(scope="module")
def encoder(tiny_model):
    return ExLM.from_pretrained(tiny_model, "cpu")


def test_the_numbers_are_the_vectors_of_the_encoder(encoder):
    smiles = ["CCO", "c1ccccc1", None, "C" * 900, ""]
    for pooling in get_args(Pooling):
        values = ExlmBlock(encoder, pooling).compute(smiles)
        np.testing.assert_array_equal(values[:2], encoder.embed(smiles[:2], pooling))
        assert np.isnan(values[2:]).all()


def test_the_numbers_are_those_of_the_layer_that_is_asked_for(encoder):
    inner, again, last = (ExlmBlock(encoder, "first", layer) for layer in (1, -2, 2))
    np.testing.assert_array_equal(inner.compute(["CCO"]), encoder.embed("CCO", "first", layer=1))
    assert inner.fingerprint == again.fingerprint != last.fingerprint
    assert last.fingerprint == ExlmBlock(encoder, "first").fingerprint
    assert last.settings == {
        "weights": encoder.fingerprint,
        "tokenizer": encoder.tokenizer.fingerprint,
        "pooling": "first",
    }
    assert read_block(block_spec(inner), encoder).layer == 1
    with pytest.raises(ExLMError, match="there is no layer -4: this model has 0 to 2, or from the end -1 to -3"):
        ExlmBlock(encoder, layer=-4)


def test_it_stands_beside_the_others(encoder):
    features = compute_blocks(["CCO", None, "CCO"], make_blocks(["exlm", "ecfp"], encoder))
    assert {name: values.shape for name, values in features.items()} == {"exlm": (3, 64), "ecfp": (3, 2048)}
    np.testing.assert_array_equal(features["exlm"][0], features["exlm"][2])


def test_it_is_made_again_only_with_the_same_encoder_and_pooling(encoder, tmp_path):
    spec = block_spec(ExlmBlock(encoder, "first"))
    assert read_block(spec, encoder).pooling == "first"
    assert spec.fingerprint != block_spec(ExlmBlock(encoder)).fingerprint
    other = ExLM.from_pretrained("exlm-small", "cpu")
    with pytest.raises(ExLMError, match="block 'exlm' gives other numbers here"):
        read_block(spec, other)
    with pytest.raises(ExLMError, match="block 'exlm' needs an encoder"):
        read_block(spec)


def test_no_torch_is_loaded_without_an_encoder():
    code = (
        "import sys; from exlm_chem.features.registry import make_blocks; "
        "from exlm_chem.features.compute import compute_blocks; "
        "compute_blocks(['CCO'], make_blocks(['ecfp', 'descriptors'])); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
