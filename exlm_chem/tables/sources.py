"""A file of molecules as somebody gave it: its lines, counted in one way, once or from the beginning again."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tempfile
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Self, cast

import zstandard

from exlm_chem.errors import ExLMError
from exlm_chem.tables.encodings import KEPT_BYTES, checked_encoding, encoding_of
from exlm_chem.tables.streams import STDIN, explained, name_of, open_bytes, peeked, plain_suffix, reading

LONGEST: Final = 1 << 26
"""Most characters of a line, and of a record: more would be no table of molecules, and fill the memory."""

_AHEAD: Final = 1 << 22  # characters


class Source:
    """A file, or stdin for ``-``, that can be read from the beginning more than once.

    Parameters
    ----------
    path : str
        The file.
    encoding : str, optional
        Its encoding; found out by default.

    Attributes
    ----------
    name : str
        The file as it is named in messages.
    suffix : str
        See `plain_suffix`.
    head : bytes
        The first bytes, decompressed.
    encoding : str or None
        Of the text, once lines have been read; None for a binary format.
    notes : list of str
        What a user should be told about how it is read.

    Raises
    ------
    ExLMError
        If there is no such file, or it is a folder, may not be read, or is empty.
    """

    def __init__(self, path: str, encoding: str | None = None) -> None:
        self.path, self.name, self.suffix = path, name_of(path), "" if path == STDIN else plain_suffix(path)
        self.notes: list[str] = []
        self.encoding: str | None = None
        self._encoding = None if encoding is None else checked_encoding(encoding)
        self._copy: BinaryIO | None = None
        self._bytes: BinaryIO | None = open_bytes(path)
        self._lines: Lines | None = None
        try:
            with reading(self.name):
                self.head, self._bytes = peeked(self._bytes)
            if not self.head:
                raise ExLMError(f"{self.name} is empty; it should hold one molecule per line")
        except ExLMError:
            self.close()
            raise

    def note(self, text: str, line: int | None = None) -> None:
        """Take a note, once; it names the file without its folder, since it may go into a directory that is shared."""
        place = Path(self.name).name + ("" if line is None else f", line {line}")
        if f"{place}: {text}" not in self.notes:
            self.notes.append(f"{place}: {text}")

    def first_lines(self) -> list[str]:
        """Give the lines in the first bytes, without taking them; the last of them may be cut off."""
        with reading(self.name), self._as_text(io.BytesIO(self.head)) as text:
            try:
                return text.readlines()
            except UnicodeDecodeError:  # the last character is cut off, or it is another encoding; reading will tell
                return []

    def lines(self) -> Lines:
        """Give the lines of the text, as one stream of them."""
        if self._lines is None:
            self._lines = Lines(self, self._as_text(self._taken()), self._encoding)
        return self._lines

    def twice(self) -> Iterator[Lines]:
        """Give the lines two times, for formats whose columns are only known at the end; stdin waits on the disk."""
        self._keep()
        yield self.lines()
        self.lines().close()
        self._lines, self._bytes = None, self._reopened()
        yield self.lines()

    def file(self) -> BinaryIO:
        """Give the decompressed content as a file in which one can go back and forth."""
        if self._is_plain():
            return cast("BinaryIO", Path(self.path).open("rb"))
        self._keep(even_if_compressed=True)
        return self._reopened()

    def close(self) -> None:
        """Close the file; stdin too."""
        for stream in (self._lines, self._bytes, self._copy):
            if stream is not None:
                stream.close()

    def _as_text(self, stream: BinaryIO) -> io.TextIOWrapper:
        encoding = self._encoding
        if encoding is None:
            encoding, guess = encoding_of(self.head)
            if guess is not None:
                self.note(guess)
        elif encoding.startswith(("utf-16-", "utf-32-")) and encoding_of(self.head)[0] == encoding[:6]:
            encoding = encoding[:6]  # the mark at its beginning says the rest, and is no part of the text
        if b"\0" in self.head and not encoding.startswith(("utf-16", "utf-32")):
            name = encoding.removesuffix("-sig").upper()
            raise ExLMError(
                f"{self.name} is no text file in {name}, since it holds zero bytes; save it as CSV, or name its "
                "--encoding, such as utf-16-le"
            )
        self.encoding = encoding.removesuffix("-sig").upper()
        return io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")

    def _taken(self) -> BinaryIO:
        """Hand the stream of bytes over to a stream of text, which closes it."""
        stream, self._bytes = self._bytes, None
        if stream is None:
            raise ExLMError(f"{self.name} was closed while it was read")
        return stream

    def _keep(self, *, even_if_compressed: bool = False) -> None:
        """Copy what can be read only once to the disk."""
        if _is_file(self.path) and not even_if_compressed:
            return
        with reading(self.name):
            self._copy = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  (closed with the source)
            shutil.copyfileobj(self._taken(), self._copy, 1 << 20)
        self._bytes = self._reopened()

    def _reopened(self) -> BinaryIO:
        if self._copy is None:
            return peeked(open_bytes(self.path))[1]
        self._copy.seek(0)
        return os.fdopen(os.dup(self._copy.fileno()), "rb")

    def _is_plain(self) -> bool:
        if not _is_file(self.path):
            return False
        with reading(self.name), Path(self.path).open("rb") as file:
            return file.read(len(self.head)) == self.head


class Lines:
    """The lines of a text with their ends, counted.

    Attributes
    ----------
    name : str
        Of the source.
    number : int
        Of the line that was given last, from 1.
    """

    def __init__(self, source: Source, stream: io.TextIOWrapper, named: str | None) -> None:
        self.name, self.number = source.name, 0
        self._source, self._stream, self._named = source, stream, named
        self._ahead: deque[str] = deque()
        self._is_told = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        return line

    def peek(self, count: int = 50) -> list[str]:
        """Give the next lines, fewer at the end or where they are very long, without taking them."""
        characters = sum(map(len, self._ahead))
        while len(self._ahead) < count and characters < _AHEAD and (line := self._read()):
            self._ahead.append(line)
            characters += len(line)
        return list(self._ahead)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _read(self) -> str:
        try:
            line = self._stream.readline(LONGEST)
        except (EOFError, OSError, zlib.error, zstandard.ZstdError, UnicodeError) as error:
            raise explained(self._source.name, error) from error
        if not line.isascii() or len(line) == LONGEST:
            self._look_at(line)
        return line

    def _look_at(self, line: str) -> None:
        name, number = self._source.name, self.number + len(self._ahead) + 1
        if len(line) == LONGEST:
            raise ExLMError(f"{name}, line {number}: longer than {LONGEST:,} characters, so this is no table")
        if self._is_told or KEPT_BYTES.search(line) is None:
            return
        if self._named is not None:
            raise ExLMError(
                f"{name}, line {number}: bytes that are no {self._named}; give another --encoding, or none to keep "
                "bytes as they are"
            )
        self._is_told = True
        encoding = self._stream.encoding.removesuffix("-sig").upper()
        self._source.note(f"not {encoding}; such bytes are kept as they are, unless you name their --encoding", number)


def _is_file(path: str) -> bool:
    try:
        return path != STDIN and stat.S_ISREG(Path(path).stat().st_mode)
    except OSError:
        return False
