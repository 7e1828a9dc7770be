"""Arrays in one small file: safetensors, compressed by zstd, which keeps what stands there twice only once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import zstandard
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from exlm_chem.errors import ExLMError
from exlm_chem.storage.files import write_file

MOST_BYTES: Final = 2**30
_WINDOW: Final = 25
"""Logarithm of how far back repeats are found: 32 MB."""


def write_packed(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays."""
    content = save({name: np.ascontiguousarray(values) for name, values in arrays.items()})
    level = zstandard.ZstdCompressionParameters.from_level(19, window_log=_WINDOW, enable_ldm=True)
    with write_file(path) as file:
        file.write(zstandard.ZstdCompressor(compression_params=level).compress(content))


def unpacked(packed: bytes) -> dict[str, NDArray[Any]]:
    """Give the arrays of a file that `write_packed` wrote.

    Raises
    ------
    ExLMError
        If it holds none, or more than a gigabyte.
    """
    try:
        size = zstandard.get_frame_parameters(packed).content_size
        if size > MOST_BYTES:
            raise ExLMError("it is broken: it claims to hold more than a gigabyte")
        return load(zstandard.ZstdDecompressor().decompress(packed, max_output_size=MOST_BYTES))
    except (zstandard.ZstdError, SafetensorError) as error:
        raise ExLMError(f"it is broken ({str(error).splitlines()[0]})") from None
