"""What stands in a cell whose label is not known."""

from __future__ import annotations

from typing import Final

from exlm_chem.smiles.cells import INVISIBLE

DASHES: Final = frozenset("-\u2212\u2010\u2011\u2012\u2013\u2014")
"""Not known beside numbers, the negative class beside a plus."""

_BY_PROGRAMS: Final = (
    *("nan", "-nan", "na", "n/a", "<na>", "<nan>", "none", "<none>", "null", "<null>", "nil", "nat", "<nat>"),
    *("1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "missing", "#null!"),
    # Excel in several languages, for what is not there and for formulas that failed
    *("#n/a", "#n/a n/a", "#na", "#nv", "#n/d", "#nd", "#n/v", "#div/0!", "#value!", "#ref!", "#name?", "#num!"),
    *("#wert!", "#bezug!", "#zahl!", "#valeur!", "#nombre!", "#valor!", "#error!", "#error", "#err"),
)
_BY_PEOPLE: Final = (
    *("?", "??", "???", ".", "..", "...", "\u2026", "*", "/", "--", "---", "----"),
    *("n.a.", "n.a", "n. a.", "nd", "n.d.", "n.d", "n/d", "n. d.", "nt", "n.t.", "n/t", "nm", "n.m.", "k.a.", "tbd"),
    *("not determined", "not tested", "not measured", "not available", "not applicable", "not known", "no data"),
    *("unknown", "undetermined", "untested", "unspecified", "pending", "empty", "(blank)", "blank"),
    *("inconclusive", "indeterminate", "equivocal", "ambiguous"),
)
UNKNOWN: Final = frozenset(["", *_BY_PROGRAMS, *_BY_PEOPLE, *DASHES])
"""In lower case."""


def tidy(cell: str | None) -> str:
    r"""Give the text of a cell without what nobody sees.

    Examples
    --------
    >>> tidy(" 1.5\u00a0"), tidy(None)
    ('1.5', '')
    """
    return "" if cell is None else cell.strip().strip(INVISIBLE).strip()


def is_unknown(text: str) -> bool:
    """Tell whether a tidy text says that there is no label.

    Examples
    --------
    >>> [is_unknown(text) for text in ("", "#N/A", "<NA>", "n.d.", "-", "0", "+")]
    [True, True, True, True, True, False, False]
    """
    return text.casefold() in UNKNOWN
