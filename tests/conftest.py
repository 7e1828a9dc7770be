"""What all tests share."""

import os
from pathlib import Path

import pytest

# Small tensors gain nothing from several threads, and `pytest -n` runs several tests at once.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights, for everything that needs a model and not a good one."""
    import torch

    from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
    from exlm_chem.tokenizer import ExLMTokenizer

    directory = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = ExLMTokenizer()
    config = ExLMConfig(
        vocab_size=tokenizer.vocab_size,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_positions=128,
        initializer_range=0.2,  # wide, so that random vectors differ between molecules
        mask_token_id=tokenizer.mask_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = ExLMForMaskedLM(config)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory
