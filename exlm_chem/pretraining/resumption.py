"""Resumption: where a run stopped, and whether a checkpoint is one of this run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from exlm_chem.errors import ExLMError
from exlm_chem.pretraining.checkpoint import STATE, find_checkpoint
from exlm_chem.pretraining.measurements import Progress
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.storage.records import from_json


class Stop(NamedTuple):
    """Where a run stopped.

    Attributes
    ----------
    path : Path
        The checkpoint.
    progress : Progress
        How far it was.
    scaler : dict or None
        What `torch.amp.GradScaler` must remember.
    """

    path: Path
    progress: Progress
    scaler: dict[str, float] | None


@dataclass(frozen=True)
class _Saved:
    """What ``state.json`` of a checkpoint says."""

    progress: dict[str, Any]
    options: dict[str, Any]
    corpus: str
    scaler: dict[str, float] | None = None


def find_stop(directory: Path, options: PretrainingOptions, corpus_key: str, log: Callable[[str], None]) -> Stop | None:
    """Find the newest whole checkpoint, and see that it is one of this run.

    Parameters
    ----------
    directory : Path
        Where checkpoints are.
    options : PretrainingOptions
        Of this run.
    corpus_key : str
        Of the molecules of this run.
    log : callable
        Called with a sentence for every broken checkpoint that was passed over.

    Returns
    -------
    Stop or None
        None where there is none.

    Raises
    ------
    ExLMError
        When that run had other options or other molecules, or the checkpoint says what cannot be.
    """
    path, state, warnings = find_checkpoint(directory)
    for warning in warnings:
        log(warning)
    if path is None:
        return None
    try:
        saved = from_json(_Saved, state)
        progress = Progress.load(saved.progress)
    except ExLMError as error:
        raise ExLMError(f"{path / STATE} is broken ({error}); remove {path}.") from None
    if changed := options.changed_since(saved.options):
        option, value = options.flag(changed), saved.options[changed]
        raise ExLMError(f"{path} was made with another {option} ({value}); use that or another -o.")
    if saved.corpus != corpus_key:
        raise ExLMError(f"{path} was made from other molecules; give the same corpus or another -o.")
    return Stop(path, progress, saved.scaler)
