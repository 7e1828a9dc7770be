"""How many floating-point operations a training step takes: the matrix products, which are nearly all of it."""

from __future__ import annotations

from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.modeling.inputs import MaskedInputs

TRAINING = 3  # the backward pass takes two products for every one of the forward pass


def encoder_flops(config: ExLMConfig, rows: int, length: int) -> float:
    """Operations of the encoder's forward pass over (rows, length) tokens.

    Examples
    --------
    >>> config = ExLMConfig(vocab_size=100, hidden_size=256, num_hidden_layers=6, intermediate_size=1024)
    >>> f"{encoder_flops(config, 64, 64):.1e}"
    '4.0e+10'
    """
    width = config.hidden_size
    weights = 4 * width * width + 2 * width * config.intermediate_size
    attention = 2 * length * width
    return 2.0 * rows * length * config.num_hidden_layers * (weights + attention)


def training_flops(config: ExLMConfig, inputs: MaskedInputs) -> float:
    """Operations of a training step on a batch, forward and backward, by the shapes that are computed."""
    rows, length = inputs.expansion.input_ids.shape
    places, width = inputs.state_positions.numel(), config.hidden_size
    flops = encoder_flops(config, rows, length)
    flops += 2.0 * places * width * (width + config.vocab_size)
    if config.objective == "exlm":
        states = inputs.state_positions.shape[1]
        flops += 2.0 * places * 2 * width * (2 * width + config.num_attention_heads)
        flops += 2.0 * places * states * width
    flops += 2.0 * rows * width * sum(config.molecule_objectives.values())
    return TRAINING * flops
