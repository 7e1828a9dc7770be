"""Two words that are classes: which of them is class 1."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

FAMILIES: Final[tuple[tuple[frozenset[str], frozenset[str]], ...]] = tuple(
    (frozenset(positive.split()), frozenset(negative.split()))
    for positive, negative in (
        ("1 true t yes y wahr ja vrai oui verdadero si s\u00ed vero", "0 false f no n falsch nein faux non falso"),
        ("+ pos positive 1 1.0", "- neg negative 0 0.0"),
        ("p", "n"),
        ("active act a", "inactive inact i"),
        ("toxic tox", "safe nontoxic"),
        ("pass passed passes", "fail failed fails"),
        ("high h", "low l"),
        ("strong", "weak"),
        ("good", "poor bad"),
        ("hit", "miss"),
        ("present", "absent"),
        ("on", "off"),
    )
)
"""Words for class 1 and for class 0, in lower case; a column of classes keeps to one family."""

_BETWEEN: Final = re.compile(r"[\s_-]+")
_NEGATIONS: Final = ("non", "not", "no", "in", "un", "im", "il", "ir", "dis")


def plain_word(word: str) -> str:
    """Write a word without what is easily mistaken: case, white space, kinds of dashes.

    Examples
    --------
    >>> plain_word("Not  Active"), plain_word("BBB\u2013")
    ('not active', 'bbb-')
    """
    for dash in "\u2212\u2010\u2011\u2012\u2013\u2014":
        word = word.replace(dash, "-")
    return " ".join(word.casefold().split())


def known_classes(words: Collection[str]) -> dict[str, int] | None:
    """Say which class each word is, if that is known.

    Parameters
    ----------
    words : collection of str
        All different words of a column.

    Returns
    -------
    dict or None
        The class of each word, both classes among them; None if nothing is known of these words.

    Examples
    --------
    >>> known_classes(["Inactive", "Active"])
    {'Active': 1, 'Inactive': 0}
    >>> known_classes(["soluble", "in-soluble"]), known_classes(["BBB-", "BBB+"])
    ({'soluble': 1, 'in-soluble': 0}, {'BBB+': 1, 'BBB-': 0})
    >>> known_classes(["red", "green"]) is None
    True
    """
    for positive, negative in FAMILIES:
        yes = [word for word in words if plain_word(word) in positive]
        no = [word for word in words if plain_word(word) in negative]
        if yes and no and len(yes) + len(no) == len(words):
            return _numbered(yes, no)
    spellings = sorted({plain_word(word) for word in words})
    for one, other in (spellings, spellings[::-1]) if len(spellings) == 2 else ():
        if _denies(other, one):
            return named_classes(words, [one])
    return None


def named_classes(words: Collection[str], positive: Sequence[str]) -> dict[str, int] | None:
    """Say which class each word is, when a user has named those of class 1.

    Examples
    --------
    >>> named_classes(["red", "green"], ["Red"])
    {'red': 1, 'green': 0}
    """
    wanted = {plain_word(word) for word in positive}
    yes = [word for word in words if plain_word(word) in wanted]
    no = [word for word in words if plain_word(word) not in wanted]
    # More than two classes are not made two by leaving the rest together.
    return _numbered(yes, no) if yes and len({plain_word(word) for word in no}) == 1 else None


def _numbered(yes: Sequence[str], no: Sequence[str]) -> dict[str, int]:
    return {**dict.fromkeys(yes, 1), **dict.fromkeys(no, 0)}


def _denies(word: str, other: str) -> bool:
    """Tell whether a word is the negation of another: non-toxic of toxic, BBB- of BBB+."""
    if word.endswith("-") and other.endswith("+"):
        return word[:-1] == other[:-1]
    bare, stem = _BETWEEN.sub("", word), _BETWEEN.sub("", other)
    return any(bare == prefix + stem for prefix in _NEGATIONS)
