r"""Numbers as people and programs write them in tables, read by a pattern of our own: `float` takes 12_5 for 125.

A decimal comma is one if the whole column is written so. What could be two numbers is none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

SMALLEST, LARGEST = 1e-30, 1e37
"""What the largest number of a column may be: heads keep single precision, from 1e-38 to 3e38."""

# What people type and word processors make: minus, hyphens, en dash, small and full-width forms.
_MINUS: Final = re.compile("^[\u2212\u2010\u2011\u2013\ufe63\uff0d](?=[\\d.,])|(?<=[eE])\u2212(?=\\d)")
_BLANKS: Final = "[ \u00a0\u2009\u202f'\u2019]"
_GROUPED_BY_BLANKS: Final = re.compile(rf"^[+-]?[1-9]\d{{0,2}}(?:{_BLANKS}\d{{3}})+(?=[.,]|$)", re.ASCII)
_QUALIFIER: Final = re.compile(
    r"^(>>|<<|>=|<=|=>|=<|[><\u2265\u2264\u2a7e\u2a7d~\u2248]|(?:ca|approx|about)\b\.?)\s*(?=\S)", re.IGNORECASE
)
_SPREAD: Final = re.compile(r"(?:\u00b1|\+/?[-\u2212])\s*[.,]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?$")
"""What follows a mean: its standard deviation, or another measure of how sure it is."""


def _pattern(decimal: str, group: str) -> re.Pattern[str]:
    whole = rf"(?:[1-9]\d{{0,2}}(?:{re.escape(group)}\d{{3}})+|\d+)"
    decimal = re.escape(decimal)
    return re.compile(rf"[+-]?(?:{whole}(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?", re.ASCII)


_WITH_POINT, _WITH_COMMA = _pattern(".", ","), _pattern(",", ".")
_SURELY_GROUPED_BY_POINTS: Final = re.compile(r"\.\d{3}[.,]")


class Numeral(NamedTuple):
    """A number, and whether it is a limit."""

    value: float
    qualifier: str = ""
    """What stands before it, such as ``>``; ``±`` where a spread behind it was left aside; empty for a plain number."""

    @property
    def bound(self) -> int:
        """1 where the truth is larger (``>30``), -1 where it is smaller, 0 for a value, also an approximate one."""
        above, below = (any(sign in self.qualifier for sign in signs) for signs in (">\u2265\u2a7e", "<\u2264\u2a7d"))
        return above - below


@dataclass(frozen=True)
class Numerals:
    """What the spellings of a column are, as far as they are numbers.

    Attributes
    ----------
    read : dict
        The number of each spelling that is one.
    unclear : list of str
        Spellings that are numbers, but it is not clear which.
    extreme : list of str
        Spellings of numbers that are too large or too small for any computation.
    note : str
        What was decided about commas; empty where there was nothing to decide.
    """

    read: dict[str, Numeral]
    unclear: list[str]
    extreme: list[str]
    note: str = ""


def read_numerals(spellings: Iterable[str]) -> Numerals:
    """Read what is written in the cells of one column.

    Parameters
    ----------
    spellings : iterable of str
        The different texts, without white space around them.

    Examples
    --------
    >>> read_numerals(["0,15", "-3", "\u22121,234"]).read
    {'0,15': Numeral(value=0.15, qualifier=''), '-3': Numeral(value=-3.0, qualifier=''), ...value=-1.234, ...}
    >>> read_numerals(["1,234", "17"]).unclear
    ['1,234']
    >>> read_numerals(["12_5", "0x1F", "inf", "5 mg", ">30"]).read
    {'>30': Numeral(value=30.0, qualifier='>')}
    >>> read_numerals(["5.2 ± 0.3"]).read
    {'5.2 ± 0.3': Numeral(value=5.2, qualifier='±')}
    """
    parts = {spelling: _parts(spelling) for spelling in spellings}
    point = {spelling for spelling, (_, text) in parts.items() if _WITH_POINT.fullmatch(text)}
    comma = {spelling for spelling, (_, text) in parts.items() if _WITH_COMMA.fullmatch(text)}
    known = [spelling for spelling in parts if spelling in point or spelling in comma]
    texts = [parts[spelling][1] for spelling in known]
    decimal = _decimal_mark(texts, all_point=point.issuperset(known), all_comma=comma.issuperset(known))
    unclear: list[str] = []
    if decimal is None:
        marked = [spelling for spelling in known if re.search("[.,]", spelling)]
        unclear = [spelling for spelling in marked if "," in spelling] + [s for s in marked if "," not in s]
        known, decimal = [spelling for spelling in known if spelling not in marked], "."
    read, extreme = dict[str, Numeral](), list[str]()
    for spelling in known:
        qualifier, text = parts[spelling]
        plain = text.replace("." if decimal == "," else ",", "").replace(decimal, ".")
        value = float(plain)
        vanished = value == 0 and re.search("[1-9]", re.split("[eE]", plain)[0])
        if not math.isfinite(value) or abs(value) > LARGEST or vanished:
            extreme.append(spelling)
        else:
            read[spelling] = Numeral(value, qualifier)
    if 0 < max((abs(one.value) for one in read.values()), default=0) < SMALLEST:
        extreme += read
        read = {}
    example = next((spelling for spelling in read if re.search(f",|{_BLANKS}", spelling)), None)
    note = "" if example is None else f"'{example}' is read as {read[example].value!r}"
    return Numerals(read, unclear, extreme, note)


def _parts(spelling: str) -> tuple[str, str]:
    """Cut a spelling into its qualifier and the number, with an ASCII minus and without blanks between thousands."""
    qualifier, text = "", spelling
    if found := _QUALIFIER.match(spelling):
        qualifier, text = found[1], spelling[found.end() :]
    elif spread := _SPREAD.search(spelling):
        qualifier, text = "±", spelling[: spread.start()].rstrip()
    text = _MINUS.sub("-", text)
    grouped = _GROUPED_BY_BLANKS.match(text)
    if grouped:
        text = re.sub(_BLANKS, "", grouped[0]) + text[grouped.end() :]
    return qualifier, text


def _decimal_mark(texts: list[str], *, all_point: bool, all_comma: bool) -> str | None:
    """Decide what the decimal mark of a column is; None if both or none can be."""
    if all_point and not any("," in text for text in texts):
        return "."
    # Beside 0,5 the point of 1.234 is more likely a slip than a sign of thousands, unless these are surely grouped.
    lone = [text for text in texts if "." in text and "," not in text]
    if all_comma and lone and not any(map(_SURELY_GROUPED_BY_POINTS.search, texts)):
        all_comma = False
    if all_point == all_comma:
        return None
    return "." if all_point else ","
