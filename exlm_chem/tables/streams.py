"""A file as a stream of bytes, decompressed if its first bytes say so, with its faults told in one sentence."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

import zstandard

from exlm_chem.errors import ExLMError
from exlm_chem.storage import reason_of

STDIN: Final = "-"

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_HEAD: Final = 1 << 16


def plain_suffix(path: str) -> str:
    """Give the suffix that tells the format, in lower case and without ``.gz`` or ``.zst``.

    Examples
    --------
    >>> plain_suffix("ZINC.SMI.gz")
    '.smi'
    """
    name = Path(path)
    if name.suffix.lower() in {".gz", ".zst"}:
        name = name.with_suffix("")
    return name.suffix.lower()


def name_of(path: str) -> str:
    """Name a source in a message."""
    return "stdin" if path == STDIN else os.fspath(path)


def open_bytes(path: str) -> BinaryIO:
    """Open a file, or stdin for ``-``, decompressed if its first bytes say gzip or Zstandard.

    Raises
    ------
    ExLMError
        If there is no such file, or it is a folder, or may not be read.
    """
    if path == STDIN and (sys.stdin is None or sys.stdin.closed):
        raise ExLMError("stdin is closed; give a file, or send something into it")
    try:
        raw = sys.stdin.buffer if path == STDIN else Path(path).open("rb")  # noqa: SIM115 (the caller closes it)
    except FileNotFoundError as error:
        raise ExLMError(f"there is no file {path}; check the name and the folder") from error
    except IsADirectoryError as error:
        raise ExLMError(f"{path} is a folder; name a file in it") from error
    except OSError as error:
        raise ExLMError(f"{path} cannot be read: {reason_of(error)}") from error
    except ValueError as error:  # a NUL in the name
        raise ExLMError(f"{path} is no name of a file: {error}") from error
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", raw))
    with reading(name_of(path)):
        magic = buffered.peek(4)[:4]
    if magic.startswith(_GZIP):
        unzipped = gzip.GzipFile(fileobj=buffered)
        unzipped.myfileobj = cast("io.FileIO", buffered)  # so that closing the one closes the other
        return cast("BinaryIO", unzipped)
    if magic == _ZSTD:
        return io.BufferedReader(_ZstdReader(buffered), buffer_size=1 << 17)
    return buffered


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn the faults of a stream into one sentence that names the file."""
    try:
        yield
    except (EOFError, OSError, zlib.error, zstandard.ZstdError, UnicodeError) as error:
        raise explained(name, error) from error


def explained(name: str, error: Exception) -> ExLMError:
    """Say in one sentence what is wrong with a stream.

    Examples
    --------
    >>> print(explained("a.smi.gz", EOFError()))
    a.smi.gz ends too early: the file is cut off; copy or download it again
    """
    if isinstance(error, EOFError):
        return ExLMError(f"{name} ends too early: the file is cut off; copy or download it again")
    if isinstance(error, gzip.BadGzipFile | zlib.error | zstandard.ZstdError):
        return ExLMError(f"{name} is damaged: the file does not decompress; copy or download it again")
    if isinstance(error, UnicodeError):
        return ExLMError(f"{name} is no text in the encoding that it seems to have ({error}); name its --encoding")
    return ExLMError(f"{name} cannot be read: {reason_of(cast('OSError', error))}")


def peeked(stream: BinaryIO) -> tuple[bytes, BinaryIO]:
    """Look at the first bytes of a stream; a pipe may hand out fewer at a time than are needed to see what it is.

    Examples
    --------
    >>> head, stream = peeked(io.BytesIO(b"CCO"))
    >>> head, stream.read()
    (b'CCO', b'CCO')
    """
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", stream))
    head = buffered.read(_HEAD)
    return head, io.BufferedReader(_Prefixed(head, buffered), buffer_size=1 << 17)


class _Prefixed(io.RawIOBase):
    """A stream whose first bytes have been read already."""

    def __init__(self, head: bytes, rest: io.BufferedReader) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        data = self._head[: len(view)] or self._rest.read1(len(view))
        self._head = self._head[len(view) :]
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._rest.close()
        super().close()


class _ZstdReader(io.RawIOBase):
    """Zstandard frames as a stream; unlike ``zstandard``'s own reader it notices that the file is cut off."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = b""
        self._inside = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        while not self._ready:
            data = (self._frame.unused_data if self._frame.eof else b"") or self._source.read(1 << 16)
            if not data:
                if self._inside:
                    raise EOFError
                return 0
            if self._frame.eof:  # files may hold several frames, one after the other
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = self._frame.decompress(data)
            self._inside = not self._frame.eof
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()
