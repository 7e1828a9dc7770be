"""Files of tensors (safetensors), looked at without torch and before anything is allocated."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize, safe_open

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.storage.files import reason_of
from exlm_chem.storage.hashes import sha256

_NUMBERS: Final[dict[str, Any]] = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}
_COUNTS: Final = frozenset({"U8", "U16"})
_sound: set[str] = set()
"""The sha256 of files whose numbers have been looked at."""


def tensor_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Give the names and shapes of the tensors of a file; only its header is read.

    Raises
    ------
    ExLMError
        If there is no such file, or it is none of tensors, or its length is not the one that the header announces.
    """
    if not Path(path).is_file():
        raise ExLMError(f"{path} is missing; copy the directory again, with all its files")
    try:
        with safe_open(path, framework="numpy") as tensors:
            return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ExLMError(f"{path} is broken ({error}); copy it again") from None
    except OSError as error:
        raise ExLMError(f"{path} cannot be read ({reason_of(error)}); copy it again") from None


def read_tensors(path: str | Path) -> dict[str, NDArray[Any]]:
    """Read the tensors of a file as arrays of single precision, all of them finite.

    Raises
    ------
    ExLMError
        See `check_numbers`.
    """
    check_numbers(path)
    found = {}
    for name, tensor in deserialize(Path(path).read_bytes()):  # type: ignore[no-untyped-call]
        numbers = np.frombuffer(tensor["data"], _NUMBERS[tensor["dtype"]])
        if tensor["dtype"] == "BF16":  # the upper half of the bits of a float32
            numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
        found[name] = numbers.astype(np.float32).reshape(tensor["shape"])
    return found


def check_numbers(path: str | Path) -> None:
    """Check that a file holds floating-point numbers, all of them finite, and small counts only.

    Raises
    ------
    ExLMError
        Names the file and the first tensor for which that is not so.
    """
    tensor_shapes(path)
    digest = sha256(path)
    if digest in _sound:
        return
    for name, tensor in deserialize(Path(path).read_bytes()):  # type: ignore[no-untyped-call]
        kind = tensor["dtype"]
        if kind in _COUNTS:
            continue
        if kind not in _NUMBERS:
            raise ExLMError(f"{path} is broken: {quoted(name)} holds {kind} instead of numbers; copy it again")
        numbers = np.frombuffer(tensor["data"], _NUMBERS[kind])
        if not _all_finite(numbers):
            raise ExLMError(
                f"{path} is broken: {quoted(name)} holds numbers that are infinite or none (NaN); "
                "copy it again, or train the model again"
            )
    _sound.add(digest)


def _all_finite(numbers: NDArray[Any]) -> bool:
    if numbers.dtype == np.uint16:  # bfloat16: eight bits of exponent, all set in what is no finite number
        return bool(((numbers & 0x7F80) != 0x7F80).all())
    return bool(np.isfinite(numbers).all())
