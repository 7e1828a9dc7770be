"""What a head has learnt, as arrays in one file that is checked when it is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.storage import sha256
from exlm_chem.storage.packed import unpacked
from exlm_chem.storage.tensors import check_numbers

Arrays = dict[str, NDArray[Any]]

ARRAYS_NAME: Final = "head.safetensors.zst"
PLAIN_NAME: Final = "head.safetensors"
"""Of the file of formats 1 and 2, which is not compressed."""

_COUNTS: Final = frozenset({"uint8", "uint16", "int8"})


def read_arrays(path: Path, wanted: str | None) -> Arrays:
    """Read arrays, if they are those of the sha256 that is wanted, and all numbers in them are finite.

    Raises
    ------
    ExLMError
        In one sentence that names the file.
    """
    check_file(path, wanted)
    if path.name == PLAIN_NAME:
        check_numbers(path)
        return load(path.read_bytes())
    with described(path):
        arrays = unpacked(path.read_bytes())
        for name, values in arrays.items():
            if values.dtype.kind != "f" and values.dtype.name not in _COUNTS:
                raise ExLMError(f"{quoted(name)} holds {values.dtype} instead of numbers or small counts")
            if not np.isfinite(values).all():
                raise ExLMError(f"{quoted(name)} holds numbers that are infinite or none (NaN)")
        return arrays


def nested(number: int, arrays: Arrays) -> Arrays:
    """Name the arrays of a head that is part of another one, so that they can lie beside those of its other parts.

    Examples
    --------
    >>> both = nested(0, {"a": np.zeros(1)}) | nested(1, {"a": np.ones(1)})
    >>> sorted(both), unnested(1, both)
    (['0/a', '1/a'], {'a': array([1.])})
    """
    return {f"{number}/{name}": values for name, values in arrays.items()}


def unnested(number: int, arrays: Arrays) -> Arrays:
    """Give the arrays that `nested` was given."""
    start = f"{number}/"
    return {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}


def rounded(values: NDArray[Any]) -> NDArray[np.float32]:
    """Round numbers to 12 binary digits, so that they take half the room in the file.

    Examples
    --------
    >>> rounded(np.array([1.0, 0.1, -3.14159]))
    array([ 1.        ,  0.1000061, -3.1416016], dtype=float32)
    """
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + np.uint32(0x800)) & np.uint32(0xFFFFF000)).view(np.float32)


def check_file(path: Path, wanted: str | None) -> None:
    """Check that a file is there and has a sha256; any will do where none is known."""
    if not path.is_file():
        raise ExLMError(f"{path} is missing; copy the directory again, with all its files")
    if wanted not in (None, sha256(path)):
        raise ExLMError(f"{path} is not the file that was saved (other sha256); copy the directory again")


@contextmanager
def described(path: Path) -> Iterator[None]:
    """Put the file, and what to do, around what does not fit in it."""
    try:
        yield
    except ExLMError as error:
        raise ExLMError(f"{path} is not the head that is described: {error}; copy the directory again") from None


def take(arrays: Arrays, name: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Give an array, if it is there and has a shape; None in the shape stands for any length.

    Examples
    --------
    >>> take({"weight": np.ones((2, 3))}, "weight", (2, None)).shape
    (2, 3)
    >>> take({"weight": np.ones((2, 3))}, "weight", (3, None))
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: 'weight' has shape (2, 3) instead of (3, any)
    """
    if name not in arrays:
        raise ExLMError(f"{quoted(name)} is missing")
    values = arrays[name]
    fits = values.ndim == len(shape) and all(
        want in (None, there) for want, there in zip(shape, values.shape, strict=True)
    )
    if not fits:
        listed = ", ".join("any" if want is None else str(want) for want in shape)
        raise ExLMError(f"{quoted(name)} has shape {values.shape} instead of ({listed})")
    return values
