"""The standard streams of a command, which may be closed, full, or without a reader."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from exlm_chem.errors import ExLMError, printable

_NAMES = ("stdin", "stdout", "stderr")


@contextmanager
def standard_streams() -> Iterator[None]:
    """Make stdout and stderr streams whose failures are told once, in a sentence, and never at the end of Python.

    What cannot be written to stdout is an `ExLMError`, unless its reader has gone away (``| head``), which is a
    BrokenPipeError; what cannot be written to stderr is lost, because there is nobody to tell it to.
    """
    closed = [not _is_open(number) for number in range(3)]
    for number in range(3):
        if closed[number]:  # or the next file that is opened would be taken for a standard stream by some library
            os.open(os.devnull, os.O_RDWR)
    before = sys.stdout, sys.stderr
    if sys.stdout is sys.__stdout__:  # not where a test captures it
        sys.stdout = _stream(1, sys.stdout, closed[1])
    if sys.stderr is sys.__stderr__:
        sys.stderr = _stream(2, sys.stderr, closed[2])
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(ExLMError, OSError, ValueError):
                stream.flush()
        sys.stdout, sys.stderr = before


def say(text: str) -> None:
    """Write a line to stderr, whatever characters are in the text."""
    sys.stderr.write(f"{printable(text)}\n")


def say_summary(summary: Any) -> None:
    """Write what was guessed about a file, and the summary of its rows, to stderr."""
    for sentence in (*summary.reading, summary):
        say(str(sentence))


def say_where(text: object) -> None:
    """Write to stdout where the result lies. It lies there also if nobody can read that."""
    with suppress(ExLMError, BrokenPipeError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _stream(number: int, old: Any, closed: bool) -> Any:
    raw = _Standard(number, closed or old is None)
    # text for another program does not depend on the settings of this system
    screen = old is not None and old.isatty()
    encoding = old.encoding if screen or (number == 2 and old is not None) else "utf-8"
    errors = "surrogateescape" if number == 1 and not screen else "backslashreplace"
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=screen or number == 2
    )


class _Standard(io.FileIO):
    """A standard stream that fails once: what comes after a failure is dropped."""

    def __init__(self, number: int, closed: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self._number, self._closed, self._failed = number, closed, False

    def write(self, data: Any) -> int:
        if self._failed:
            return len(data)
        try:
            if self._closed:
                raise OSError(errno.EBADF, "it is closed")
            return super().write(data) or 0
        except OSError as error:
            self._failed = True
            if self._number == 2:
                return len(data)
            if isinstance(error, BrokenPipeError):
                raise
            reason = (error.strerror or str(error)).lower()
            raise ExLMError(f"{_NAMES[self._number]} cannot be written: {reason}") from error
