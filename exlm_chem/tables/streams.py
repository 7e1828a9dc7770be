"""A file as a stream of text: compression and encoding found out from its first bytes, faults told in one sentence."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

import zstandard

from exlm_chem.errors import ExLMError

STDIN: Final = "-"
_GZIP, _ZSTD, _ZIP, _OLE = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


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


def open_bytes(path: str) -> BinaryIO:
    """Open a file, or stdin for ``-``, decompressed if its first bytes say gzip or Zstandard.

    Raises
    ------
    ExLMError
        If there is no such file, or it is a folder, or may not be read.
    """
    try:
        raw = sys.stdin.buffer if path == STDIN else Path(path).open("rb")  # noqa: SIM115 (the caller closes it)
    except FileNotFoundError as error:
        raise ExLMError(f"there is no file {path}; check the name and the folder") from error
    except IsADirectoryError as error:
        raise ExLMError(f"{path} is a folder; name a file in it") from error
    except OSError as error:
        raise ExLMError(f"{path} cannot be read: {error.strerror}") from error
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", raw))
    with reading(path):
        magic = buffered.peek(4)[:4]
    if magic.startswith(_GZIP):
        unzipped = gzip.GzipFile(fileobj=buffered)
        unzipped.myfileobj = cast("io.FileIO", buffered)  # so that closing the one closes the other
        return cast("BinaryIO", unzipped)
    if magic == _ZSTD:
        return io.BufferedReader(_ZstdReader(buffered), buffer_size=1 << 17)
    return buffered


def open_text(path: str) -> IO[str]:
    """Open a file as text with its line ends as they are: UTF-8, UTF-16 if it begins with a byte order mark.

    Bytes that are no UTF-8 are taken for Windows-1252 (old spreadsheet exports), one by one, so a stream never stops at
    a name with an accent.

    Raises
    ------
    ExLMError
        If the file cannot be opened, is empty or is no text.
    """
    stream = open_bytes(path)
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", stream))
    try:
        with reading(path):
            head = buffered.peek(4096)
        _refuse_binary(name_of(path), head)
    except ExLMError:
        buffered.close()
        raise
    encoding = "utf-16" if head.startswith(_UTF16) else "utf-8-sig"
    return io.TextIOWrapper(buffered, encoding=encoding, errors=_LEGACY, newline="")


@contextmanager
def reading(path: str, what: str = "the file") -> Iterator[None]:
    """Turn the faults of a stream into one sentence that names the file."""
    try:
        yield
    except EOFError as error:
        raise ExLMError(f"{name_of(path)} ends too early: {what} is cut off; copy or download it again") from error
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise ExLMError(f"{name_of(path)} is damaged: {what} does not decompress; copy or download it again") from error
    except OSError as error:
        raise ExLMError(f"{name_of(path)} cannot be read: {error.strerror or error}") from error


def name_of(path: str) -> str:
    """Name a source in a message."""
    return "stdin" if path == STDIN else os.fspath(path)


def _refuse_binary(name: str, head: bytes) -> None:
    if not head:
        raise ExLMError(f"{name} is empty; it should hold one molecule per line")
    if head.startswith((_ZIP, _OLE)):
        raise ExLMError(f"{name} is an Excel workbook or a zip archive; open it and save it as CSV")
    if b"\0" in head and not head.startswith(_UTF16):
        raise ExLMError(f"{name} is no text file; save it as CSV, or as .smi with one SMILES per line")


def _decode_as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    try:
        return bad.decode("cp1252"), error.end
    except UnicodeDecodeError:  # five bytes have no meaning there, and every byte has one in Latin-1
        return bad.decode("latin-1"), error.end


_LEGACY = "exlm-chem-windows-1252"
codecs.register_error(_LEGACY, _decode_as_windows)


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
