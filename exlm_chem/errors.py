"""The one exception class of failures that a user can do something about, and how a message shows a text."""

from __future__ import annotations

import re
from typing import Final

_LONG_WORD: Final = re.compile(r"\S{401,}")


class ExLMError(Exception):
    r"""An expected failure, explained to the user in one sentence: what is wrong, where, and what to do.

    The command line prints the message without a traceback and ends with status 1. The message is always one line
    of printable characters: whatever got into it from a file is escaped, and words of more than 400 characters, such as
    the name of a file that is none, are shortened.

    Examples
    --------
    >>> raise ExLMError("column 'smile' is not in molecules.csv; its columns are: name, smiles")
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: column 'smile' is not in molecules.csv; its columns are: name, smiles
    >>> print(ExLMError("no file a\nb.csv"))
    no file a\nb.csv
    """

    def __str__(self) -> str:
        return _LONG_WORD.sub(lambda found: _shortened(found[0], 200), printable(super().__str__()))


def printable(text: str) -> str:
    r"""Escape all that is no printable character: line ends, terminal escapes, bytes that are no text.

    Examples
    --------
    >>> print(printable("a\nb \x1b[31m \udcff café"))
    a\nb \x1b[31m \udcff café
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def quoted(text: object, limit: int = 60) -> str:
    r"""Write a text that comes from a file or from the environment for a message.

    It is quoted, on one line, and shortened in the middle; control characters and bytes that are no text are escaped,
    so that no terminal obeys them.

    Parameters
    ----------
    text : object
        What to show; anything but a text is written as Python's ``str`` does.
    limit : int
        Most characters of it.

    Returns
    -------
    str
        The text in quotes.

    Examples
    --------
    >>> print(quoted("log\nS"), quoted("\x1b[31mred"), quoted("café"), quoted("\udcff"), quoted("C" * 80, limit=11))
    'log\nS' '\x1b[31mred' 'café' '\udcff' 'CCCC...CCCC'
    """
    return repr(_shortened(str(text), limit))


def _shortened(text: str, limit: int) -> str:
    """Leave out the middle of a text that is too long."""
    if len(text) <= limit:
        return text
    end = (limit - 3) // 2
    return f"{text[: limit - 3 - end]}...{text[len(text) - end :]}"
