"""Where a result goes: never onto the input, and there as a whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from exlm_chem.errors import ExLMError
from exlm_chem.storage import write_file
from exlm_chem.tables.streams import STDIN

STDOUT: Final = "-"


@contextmanager
def open_output(path: str | os.PathLike[str], source: str | None = None) -> Iterator[BinaryIO]:
    """Open a file for a result, as `exlm_chem.storage.write_file` does, if it is not the input.

    Parameters
    ----------
    path : path
        The file.
    source : str, optional
        The input: a path, or ``-`` for stdin.

    Raises
    ------
    ExLMError
        If nothing can or may be written there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file, open_output(file.name, file.name):
    ...     pass
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: /... is the input, which is never written over; choose another name
    """
    refuse_input(path, source)
    with write_file(path) as file:
        yield file


def refuse_input(path: str | os.PathLike[str], source: str | None) -> None:
    """Refuse to write over the input, by whatever name: a link, another name of the same file, stdin, stdout.

    Examples
    --------
    >>> refuse_input("out.csv", "in.csv")
    """
    written, read = _facts(path, 1), _facts(source, 0) if source is not None else None
    # two ends of a terminal are one device, and nothing is lost there
    if written and read and stat.S_ISREG(written.st_mode) and os.path.samestat(written, read):
        name = "stdout" if os.fspath(path) == STDOUT else path
        raise ExLMError(f"{name} is the input, which is never written over; choose another name")


def _facts(path: str | os.PathLike[str], descriptor: int) -> os.stat_result | None:
    try:
        return os.fstat(descriptor) if os.fspath(path) == STDIN else Path(path).stat()
    except OSError:
        return None
