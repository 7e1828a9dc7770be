"""Checkpoints: written whole or not at all, checked before they are trusted."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from safetensors import SafetensorError

from exlm_chem.errors import ExLMError

KEEP = 2
STATE = "state.json"


def save_checkpoint(accelerator: Accelerator, directory: Path, step: int, state: dict[str, Any]) -> None:
    """Save model, optimizer and random numbers (accelerate) and `state` as ``directory/step-N``; keep the last two.

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
        accelerator.save_state(str(temporary))
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            _seal(temporary, state)
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


def _seal(directory: Path, state: dict[str, Any]) -> None:
    """Write `state` and the hashes of all files, and wait until everything is on the disk."""
    files = [file for file in sorted(directory.rglob("*")) if file.is_file()]
    hashes = {str(file.relative_to(directory)): _sha256(file) for file in files}
    (directory / STATE).write_text(json.dumps({"files": hashes, "state": state}), encoding="utf-8")
    for file in [*files, directory / STATE]:
        with file.open("rb") as written:
            os.fsync(written.fileno())


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
            content = json.loads((path / STATE).read_text(encoding="utf-8"))
            broken = [name for name, digest in content["files"].items() if _sha256(path / name) != digest]
        except (OSError, ValueError, KeyError) as error:
            broken = [f"{STATE} ({error})"]
        if not broken:
            return path, content["state"], warnings
        warnings.append(f"{path} is broken ({', '.join(broken)}); the checkpoint before it is used.")
    return None, {}, warnings


def _newest_first(directory: Path) -> list[Path]:
    return sorted((path for path in directory.glob("step-*") if path.suffix != ".part"), reverse=True)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
