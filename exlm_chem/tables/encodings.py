"""Which encoding a file of text has: decided for the whole file, never byte by byte.

What is not UTF-8 is not guessed at: its bytes go through as they are (Python's ``surrogateescape``) and come out as
they were, unless the user names the encoding. SMILES are ASCII, so nothing is lost for reading molecules.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from typing import Final

from exlm_chem.errors import ExLMError, quoted

UTF8: Final = "utf-8-sig"
KEPT_BYTES: Final = re.compile("[\udc80-\udcff]")
"""A byte that is no part of a character of the encoding, as ``surrogateescape`` keeps it."""

WRITTEN: Final = "exlm_chem.written"
"""How to write what no UTF-8 is (the ``errors`` of Python's codecs): such bytes as they were, and half of a character,
which JSON can hold, as its escape."""

_MARKS: Final = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def checked_encoding(name: str) -> str:
    """Check the name of an encoding that a user gives.

    Returns
    -------
    str
        Python's name of it; UTF-8 is taken with or without a byte order mark.

    Raises
    ------
    ExLMError
        If Python does not know it, or it is none of texts.

    Examples
    --------
    >>> checked_encoding("Latin1"), checked_encoding("UTF8")
    ('iso8859-1', 'utf-8-sig')
    >>> checked_encoding("klingon")
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: --encoding must be an encoding that Python knows, such as cp1252 or gbk, not 'klingon'
    """
    try:
        known = codecs.lookup(name).name
        "smiles".encode(known)  # hex, rot13 and others turn no text into bytes
    except (LookupError, ValueError, TypeError, AttributeError):
        raise ExLMError(
            f"--encoding must be an encoding that Python knows, such as cp1252 or gbk, not {quoted(name)}"
        ) from None
    return UTF8 if known == "utf-8" else known


def encoding_of(head: bytes) -> tuple[str, str | None]:
    r"""Tell the encoding of a text by its first bytes.

    Returns
    -------
    encoding : str
        UTF-16 or UTF-32 if there is a mark for it, or every other byte is zero; otherwise UTF-8.
    guess : str or None
        What is to be announced, where there is no mark.

    Examples
    --------
    >>> encoding_of(b"smiles\nCCO\n"), encoding_of("smiles".encode("utf-16-le"))
    (('utf-8-sig', None), ('utf-16-le', 'taken for UTF-16, since every other byte is zero'))
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, None
    sample = head[: len(head) // 2 * 2]
    for encoding, zeros, letters in (
        ("utf-16-le", sample[1::2], sample[::2]),
        ("utf-16-be", sample[::2], sample[1::2]),
    ):
        if zeros.count(0) > 0.8 * len(zeros) and not letters.count(0):
            return encoding, "taken for UTF-16, since every other byte is zero"
    return UTF8, None


def encoding_hint(texts: Iterable[str]) -> str:
    r"""Say what helps if a text of a file is not what its author sees, since it holds bytes that are no UTF-8.

    Examples
    --------
    >>> encoding_hint(["IC50 (\udcb5M)"]), encoding_hint(["IC50 (µM)"])
    ('; the file is not in UTF-8: name its --encoding, such as cp1252', '')
    """
    kept = any(KEPT_BYTES.search(text) for text in texts)
    return "; the file is not in UTF-8: name its --encoding, such as cp1252" if kept else ""


def _written(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    is_byte = KEPT_BYTES.match(error.object, error.start) is not None
    one = UnicodeEncodeError(error.encoding, error.object, error.start, error.start + 1, error.reason)
    return codecs.lookup_error("surrogateescape" if is_byte else "backslashreplace")(one)


codecs.register_error(WRITTEN, _written)
