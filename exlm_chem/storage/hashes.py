"""The hash of a file, which is read once in a process as long as it does not change."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Final

_SETTLED: Final = 100_000_000
"""Nanoseconds after which another change of a file surely gets another time."""

_hashes: dict[tuple[str, int, int, int], str] = {}


def sha256(path: str | os.PathLike[str]) -> str:
    """Give the SHA-256 of a file, which is read once in a process as long as it does not change.

    Raises
    ------
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     sha256(file.name)[:8]
    'e3b0c442'
    """
    with Path(path).open("rb") as file:
        facts = os.fstat(file.fileno())
        key = (os.path.realpath(path), facts.st_ino, facts.st_size, facts.st_mtime_ns)
        known = _hashes.get(key)
        if known is not None:
            return known
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if time.time_ns() - facts.st_mtime_ns > _SETTLED:
        _hashes[key] = digest
    return digest
