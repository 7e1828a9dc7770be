"""Checkpoints: written whole or not at all, checked before they are trusted, and nothing in them is ever unpickled.

A checkpoint is a folder ``step-N`` with ``model.safetensors``, ``average.safetensors`` (with ``--ema``),
``optimizer.safetensors``, ``random-P.safetensors`` for every process P, and ``state.json``: how far the run is, and the
hashes of all files.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import torch
from accelerate import Accelerator
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from exlm_chem.errors import ExLMError
from exlm_chem.storage import json_text, read_json, sha256, write_json
from exlm_chem.storage.records import from_json

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor

KEEP = 2
STATE = "state.json"
MODEL, AVERAGE, OPTIMIZER = "model.safetensors", "average.safetensors", "optimizer.safetensors"


class TrainingState:
    """Everything of a run that changes from step to step, as tensors by name.

    Parameters
    ----------
    model : nn.Module
        Not wrapped; its weights may be sharded.
    optimizer : torch.optim.Optimizer
    average : nn.Module or None
        The module that holds the averaged weights.
    scaler : torch.amp.GradScaler or None
        Of fp16.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        average: nn.Module | None,
        scaler: torch.amp.GradScaler | None,
    ) -> None:
        self.model, self.optimizer, self.average, self.scaler = model, optimizer, average, scaler

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """Give the content of every file; all processes must take part, since sharded tensors are gathered."""
        files = {MODEL: _whole(self.model.state_dict())}
        if self.average is not None:
            files[AVERAGE] = _whole(self.average.state_dict())
        moments = {
            f"{name}/{key}": value
            for name, parameter in self.model.named_parameters()
            for key, value in self.optimizer.state.get(parameter, {}).items()
        }
        files[OPTIMIZER] = _whole(moments)
        return files

    def load(self, directory: Path) -> None:
        """Go on from the files of a checkpoint.

        Raises
        ------
        ExLMError
            When a file lacks what this run needs.
        """
        _fill(self.model.state_dict(), directory / MODEL)
        if self.average is not None:
            _fill(self.average.state_dict(), directory / AVERAGE)
        parameters = dict(self.model.named_parameters())
        for name, value in _read(directory / OPTIMIZER).items():
            path, _, key = name.rpartition("/")
            if path not in parameters:
                raise ExLMError(f"{directory / OPTIMIZER} has the unexpected {name}; it is of another run.")
            parameter = parameters[path]
            # A count of steps is one number, and stays whole where the weights are sharded.
            self.optimizer.state[parameter][key] = _like(parameter, value) if value.dim() else value


def save_checkpoint(
    accelerator: Accelerator, directory: Path, step: int, training: TrainingState, state: dict[str, Any]
) -> None:
    """Save all that a run needs to go on as ``directory/step-N``; keep the last two.

    The folder appears under its name only when everything in it is on the disk.

    Raises
    ------
    ExLMError
        When the disk is full; the checkpoint before stays.
    """
    target = directory / f"step-{step:09d}"
    temporary = directory / f"{target.name}.part"
    if accelerator.is_main_process:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
    accelerator.wait_for_everyone()
    try:
        files = training.tensors()
        if accelerator.is_main_process:
            for name, tensors in files.items():
                save_file(tensors, temporary / name)
        save_file(_random_numbers(accelerator.device), temporary / _random_name(accelerator))
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            scaler = None if training.scaler is None else training.scaler.state_dict()
            _seal(temporary, {**state, "scaler": scaler})
            shutil.rmtree(target, ignore_errors=True)
            temporary.rename(target)
    except (OSError, RuntimeError, SafetensorError) as error:  # what the libraries below make of a full disk
        shutil.rmtree(temporary, ignore_errors=True)
        last = next(iter(_newest_first(directory)), None)
        kept = f"{last} is whole, --resume goes on from there" if last else "there is none before it"
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ExLMError(
            f"the checkpoint of step {step} could not be written ({why}); is the disk full? {kept}."
        ) from error
    if accelerator.is_main_process:
        for old in _newest_first(directory)[KEEP:]:
            shutil.rmtree(old)


def load_checkpoint(
    accelerator: Accelerator, path: Path, training: TrainingState, scaler: dict[str, float] | None
) -> None:
    """Put model, optimizer and random numbers into the state that they had.

    Raises
    ------
    ExLMError
        When the checkpoint does not fit this run.
    """
    try:
        training.load(path)
        random = path / _random_name(accelerator)
        if random.exists():  # with more processes than before there is none for the new ones
            _set_random_numbers(_read(random), accelerator.device)
        if training.scaler is not None and scaler:
            training.scaler.load_state_dict(scaler)
    except (RuntimeError, TypeError, ValueError, KeyError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ExLMError(f"{path} does not fit this run ({why}); start anew with another -o.") from None


def find_checkpoint(directory: Path) -> tuple[Path | None, dict[str, Any], list[str]]:
    """Find the newest checkpoint that is whole.

    Returns
    -------
    path : Path or None
        None when there is none.
    state : dict
        What was saved with it.
    warnings : list of str
        One sentence for every broken checkpoint that was passed over.
    """
    warnings: list[str] = []
    for path in _newest_first(directory):
        try:
            content = from_json(_Sealed, read_json(path / STATE, "remove its folder"))
            broken = [name for name, digest in content.files.items() if sha256(path / Path(name).name) != digest]
            if content.sha256 != _digest(content.files, content.state):
                broken.append(STATE)
            if not broken:
                return path, content.state, warnings
        except (OSError, ExLMError) as error:
            broken = [f"{STATE}: {error}"]
        warnings.append(f"{path} is broken ({', '.join(broken)}); the checkpoint before it is used.")
    return None, {}, warnings


@dataclass(frozen=True)
class _Sealed:
    """The content of ``state.json``."""

    files: dict[str, str]
    state: dict[str, Any]
    sha256: str


def _seal(directory: Path, state: dict[str, Any]) -> None:
    """Write `state` and the hashes of all files and of itself, and wait until everything is on the disk."""
    files = [file for file in sorted(directory.iterdir()) if file.is_file()]
    hashes = {file.name: sha256(file) for file in files}
    state = json.loads(json_text(state))  # as it will be read
    write_json(directory / STATE, {"files": hashes, "state": state, "sha256": _digest(hashes, state)}, indent=None)
    for file in [*files, directory / STATE]:
        with file.open("rb") as written:
            os.fsync(written.fileno())


def _digest(hashes: dict[str, str], state: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps([hashes, state], sort_keys=True).encode()).hexdigest()


def _newest_first(directory: Path) -> list[Path]:
    return sorted((path for path in directory.glob("step-*") if path.suffix != ".part"), reverse=True)


def _whole(tensors: dict[str, Any]) -> dict[str, Tensor]:
    gathered = {name: value.full_tensor() if _is_sharded(value) else value for name, value in tensors.items()}
    return {name: value.detach().cpu().contiguous() for name, value in gathered.items()}


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ExLMError(f"{path} cannot be read ({error}); remove its folder, the checkpoint before is used.") from None


def _fill(target: dict[str, Tensor], path: Path) -> None:
    saved = _read(path)
    if saved.keys() != target.keys():
        name = min(saved.keys() ^ target.keys())
        raise ExLMError(f"{path} and this run differ in {name}; it is of another run.")
    with torch.no_grad():
        for name, value in saved.items():
            target[name].copy_(_like(target[name], value))


def _like(target: Tensor, value: Tensor) -> Tensor:
    """Put a whole tensor where another one is, sharded in the same way."""
    if target.shape != value.shape:
        raise ValueError(f"a tensor has the shape {tuple(value.shape)} instead of {tuple(target.shape)}")
    value = value.to(target.device)
    if _is_sharded(target):
        from torch.distributed.tensor import distribute_tensor

        sharded: Tensor = distribute_tensor(value, target.device_mesh, target.placements)
        return sharded
    return value


def _is_sharded(tensor: object) -> TypeGuard[DTensor]:
    """Say whether processes share a tensor; where they do the module, half a second of start-up, has been loaded."""
    loaded = sys.modules.get("torch.distributed.tensor")
    return loaded is not None and isinstance(tensor, loaded.DTensor)


def _random_name(accelerator: Accelerator) -> str:
    return f"random-{accelerator.process_index}.safetensors"


def _random_numbers(device: torch.device) -> dict[str, Tensor]:
    """State of the generators that dropout draws from; all other randomness is seeded by what it is for."""
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = torch.get_device_module(device).get_rng_state().cpu()
    return states


def _set_random_numbers(states: dict[str, Tensor], device: torch.device) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type in states and device.type != "cpu":
        torch.get_device_module(device).set_rng_state(states[device.type])
