"""The file of training molecules beside a predictor: arrays as safetensors, all of it compressed by zstd."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.predictors.chemistry import Chemistry
from exlm_chem.predictors.task_file import PredictorTask, read_task, write_task
from exlm_chem.predictors.training_molecules import FINGERPRINT, TrainingMolecules
from exlm_chem.storage import json_text, reason_of, sha256
from exlm_chem.storage.packed import unpacked, write_packed
from exlm_chem.storage.records import naming, read_version

TRAINING_NAME: Final = "training.safetensors.zst"
FORMAT_VERSION: Final = 2
"""The second one has predictions of values in single precision, and probabilities as the first one."""

_ARRAYS: Final[dict[str, Any]] = {
    "values": np.float32,
    "fingerprint_rows": np.int32,
    "vector_rows": np.int32,
    "vectors": np.int8,
    "center": np.float32,
}
_SPARSE: Final[dict[str, Any]] = {"features": np.uint16, "counts": np.uint16, "sizes": np.uint16}
"""Fingerprints: a molecule has some forty features of 2,048."""


def write_training(directory: str | Path, molecules: TrainingMolecules) -> str:
    """Write the training molecules of a predictor into its directory.

    Returns
    -------
    str
        The sha256 of the file, for ``task.json``.
    """
    known = molecules.values[~np.isnan(molecules.values)]
    classes = np.isin(known, (0, 1)).all()  # half precision will do for probabilities, not for any number
    about = {
        "format_version": 1 if classes else FORMAT_VERSION,
        "fingerprint": FINGERPRINT.fingerprint,
        "chemistry": molecules.chemistry.to_json(),
        "least_similarity": molecules.least_similarity,
    }
    rows, features = np.nonzero(molecules.fingerprints)
    arrays = {name: np.ascontiguousarray(getattr(molecules, name), kind) for name, kind in _ARRAYS.items()}
    tensors = {
        **arrays,
        "out_of_fold": molecules.out_of_fold.astype(np.float16 if classes else np.float32),
        "texts": _bytes("\n".join(molecules.texts)),
        "flat": _bytes("\n".join(molecules.flat)),
        "about": _bytes(json_text(about)),
        "features": features.astype(np.uint16),
        "counts": molecules.fingerprints[rows, features],
        "sizes": np.bincount(rows, minlength=len(molecules.fingerprints)).astype(np.uint16),
    }
    path = Path(directory) / TRAINING_NAME
    write_packed(path, tensors)
    return sha256(path)


def add_training(directory: str | Path, molecules: TrainingMolecules) -> PredictorTask:
    """Let a predictor that is written keep its training molecules.

    Returns
    -------
    PredictorTask
        As it is then.
    """
    task = replace(read_task(directory), training=write_training(directory, molecules))
    write_task(Path(directory), task)
    return task


def read_training(directory: str | Path, digest: str | None = None) -> TrainingMolecules:
    """Read the training molecules of a predictor.

    Parameters
    ----------
    directory : str or Path
        Of the predictor.
    digest : str, optional
        The sha256 that the file must have.

    Raises
    ------
    ExLMError
        If the file is missing or damaged.
    """
    path = Path(directory) / TRAINING_NAME
    with naming(path):
        try:
            if digest not in (None, sha256(path)):
                raise ExLMError("it is not the file that was saved (other sha256)")
            packed = path.read_bytes()
        except OSError as error:
            raise ExLMError(f"it cannot be read ({reason_of(error)})") from None
        tensors = unpacked(packed)
        try:
            return _molecules(tensors)
        except (KeyError, ValueError, IndexError, TypeError, UnicodeDecodeError):
            raise ExLMError("it is broken: its arrays do not fit each other") from None


def _molecules(tensors: dict[str, NDArray[Any]]) -> TrainingMolecules:
    if any(tensors[name].dtype != kind for name, kind in {**_ARRAYS, **_SPARSE}.items()):
        raise ValueError
    about = json.loads(_text(tensors["about"]))
    read_version(about, FORMAT_VERSION)
    if about["fingerprint"] != FINGERPRINT.fingerprint:
        raise ExLMError("its fingerprints are of another kind than this version of ExLM-chem computes")
    texts, flat = (_text(tensors[name]).split("\n") if len(tensors[name]) else [] for name in ("texts", "flat"))
    if not texts and len(tensors["values"]) == 1:  # the one text that is empty
        raise ValueError
    flat = flat or [""] * len(texts)
    if tensors["out_of_fold"].dtype not in (np.float16, np.float32):
        raise ValueError
    arrays: dict[str, Any] = {name: tensors[name] for name in _ARRAYS}
    arrays["out_of_fold"] = tensors["out_of_fold"].astype(np.float32)
    sizes = tensors["sizes"].astype(np.int64)
    fingerprints = np.zeros((len(sizes), FINGERPRINT.width), np.uint16)
    fingerprints[np.repeat(np.arange(len(sizes)), sizes), tensors["features"]] = tensors["counts"]
    molecules = TrainingMolecules(
        texts=texts,
        flat=flat,
        fingerprints=fingerprints,
        chemistry=Chemistry.from_json(about["chemistry"]),
        least_similarity=float(about["least_similarity"]),
        **arrays,
    )
    _check(molecules)
    return molecules


def _check(molecules: TrainingMolecules) -> None:
    """Raise a ValueError if the arrays do not fit each other."""
    count = len(molecules)
    columns, width = molecules.values.shape[1], molecules.vectors.shape[1]
    fits = (
        len(molecules.flat) == count
        and molecules.values.shape == molecules.out_of_fold.shape == (count, columns)
        and molecules.fingerprint_rows.shape == (len(molecules.fingerprints),)
        and molecules.vector_rows.shape == (len(molecules.vectors),)
        and molecules.center.shape == (width,)
        and all(((rows >= 0) & (rows < count)).all() for rows in (molecules.fingerprint_rows, molecules.vector_rows))
        and np.isfinite(molecules.center).all()
    )
    if not fits:
        raise ValueError


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _text(array: NDArray[Any]) -> str:
    return array.astype(np.uint8, casting="equiv").tobytes().decode()
