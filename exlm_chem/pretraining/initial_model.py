"""What a run starts from: random weights, or those of a model that exists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from exlm_chem.base_tokenizer import Tokenizer
from exlm_chem.errors import ExLMError
from exlm_chem.model_directory import open_model
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
from exlm_chem.modeling.config_file import WEIGHTS_NAME
from exlm_chem.modeling.configuration import PRESETS
from exlm_chem.modeling.serialization import load_weights
from exlm_chem.pretraining.objective_values import ObjectiveValues
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.storage import sha256


def make_config(
    options: PretrainingOptions, tokenizer: Tokenizer, molecule_objectives: dict[str, int] | None = None
) -> ExLMConfig:
    """Make the configuration of a run's model.

    Parameters
    ----------
    options : PretrainingOptions
        With `init_from` the sizes are those of that model, else those of the preset.
    tokenizer : Tokenizer
    molecule_objectives : dict of str to int, optional
        How many numbers every molecule-level objective predicts.

    Raises
    ------
    ExLMError
        When a size is impossible, or when `init_from` is no model or has another tokenizer.
    """
    chosen: dict[str, Any] = {
        "objective": options.objective,
        "num_states": options.states,
        "state_graph": options.state_graph,
        "second_position": options.second_position,
        "molecule_objectives": molecule_objectives or {},
    }
    if options.init_from is None:
        special = {"mask_token_id": tokenizer.mask_id}
        return ExLMConfig.preset(options.preset, tokenizer.vocab_size, **special, **chosen)
    start = open_model(options.init_from)
    if start.tokenizer.fingerprint != tokenizer.fingerprint:
        theirs = options.init_from if start.tokenizer.reads == "text" else start.tokenizer.scheme
        raise ExLMError(f"{options.init_from} reads tokens of another kind; add --tokenizer {theirs}.")
    return replace(start.saved.config, **chosen)


def initial_model(
    options: PretrainingOptions,
    config: ExLMConfig,
    targets: Sequence[ObjectiveValues] = (),
    log: Callable[[str], None] = lambda _: None,
) -> ExLMForMaskedLM:
    """Make the model of a run as it is before the first step.

    Random weights are drawn from torch's generator. With `init_from` the encoder is taken over, and of the heads
    whatever has the same name and shape; the others are new.

    Parameters
    ----------
    options : PretrainingOptions
    config : ExLMConfig
        From `make_config`.
    targets : sequence of ObjectiveValues
        The values of the molecule-level objectives; a new head for bits says how often each is set, so its loss starts
        at the baseline.
    log : callable, optional
        Is told what was taken over and what is new.

    Returns
    -------
    ExLMForMaskedLM
        In training mode.
    """
    model = ExLMForMaskedLM(config).train()
    taken: set[str] = set()
    if options.init_from is not None:
        taken = _take_over(model, start_directory(options.init_from) / WEIGHTS_NAME)
        new = sorted({_part(name) for name in model.state_dict().keys() - taken})
        log(f"starts from {options.init_from}{'; new: ' * bool(new)}{', '.join(new)}.")
    for store in targets:
        if not store.is_regression and f"molecule_heads.{store.name}.bias" not in taken:
            share = torch.tensor(store.mean).clamp(1e-4, 1 - 1e-4)
            model.molecule_heads[store.name].get_parameter("bias").data.copy_(share.logit())
    return model


def start_directory(model: str | Path) -> Path:
    """Find the model directory of `init_from`: of a predictor, its encoder."""
    return open_model(model).path


def describe_start(options: PretrainingOptions) -> dict[str, str] | None:
    """Say for ``training.json`` what a run started from, without a path; None for random weights."""
    if options.init_from is None:
        return None
    directory = start_directory(options.init_from)
    return {"name": directory.resolve().name, "sha256": sha256(directory / WEIGHTS_NAME)}


def start_options(options: PretrainingOptions, config: ExLMConfig) -> dict[str, str | None]:
    """Give the options to be recorded in the place of those that `init_from` overrides: its name and its size."""
    if (start := describe_start(options)) is None:
        return {}
    sizes = asdict(config)
    same = (name for name, preset in PRESETS.items() if all(sizes[key] == value for key, value in preset.items()))
    return {"init_from": start["name"], "preset": next(same, "custom")}


def _take_over(model: ExLMForMaskedLM, path: Path) -> set[str]:
    """Copy the weights that fit; give their names."""
    weights = load_weights(path)
    if not any(name.startswith(model.encoder_prefix) for name in weights):  # an encoder alone
        weights = {model.encoder_prefix + name: value for name, value in weights.items()}
    ours = model.state_dict()
    fitting = {name: value for name, value in weights.items() if name in ours and value.shape == ours[name].shape}
    if missing := sorted(n for n in ours.keys() - fitting.keys() if n.startswith(model.encoder_prefix)):
        problem = f"lacks {missing[0]}, or has it in another shape"
        raise ExLMError(f"{path} {problem}: it does not belong to its config.json.")
    model.load_state_dict(fitting, strict=False)
    return set(fitting)


def _part(name: str) -> str:
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "molecule_heads" else parts[0]
