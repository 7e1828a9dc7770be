r"""Columns that stand beside a column of labels: the sign of a limit, and the unit.

Tables of ChEMBL and PubChem write ``>10000`` as two cells, ``>`` and ``10000``, and the unit in a third one. Whoever
reads the numbers alone takes limits for values, and units for one another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.cell_counts import CellCounts
from exlm_chem.finetuning.numerals import read_numerals
from exlm_chem.finetuning.spellings import is_unknown, tidy

_SIGN_COLUMN: Final = re.compile(r"relation|qualifier|operator|modifier|censor|\bsign\b", re.IGNORECASE)
_UNIT_COLUMN: Final = re.compile(r"(?<![^\W_])units?(?![^\W_])", re.IGNORECASE)
_EXACT: Final = frozenset(["", "=", "==", "na", "n/a", "nan", "none", "null"])


def sign_of(cell: str | None) -> str | None:
    """Read a sign: that of a limit or of an approximate value, an empty text for an exact one, None for what is none.

    Examples
    --------
    >>> [sign_of(cell) for cell in ("'>'", "=", None, "~", "30")]
    ['>', '', '', '~', None]
    """
    text = tidy(cell).strip("'\"").strip()  # ChEMBL has '=' with quotes
    if text.casefold() in _EXACT:
        return ""
    number = read_numerals([f"{text}1"]).read.get(f"{text}1")
    return text if number is not None and number.qualifier == text else None


def with_signs(
    cells: Sequence[str | None],
    signs: Sequence[str | None],
    column: str,
    lines: Sequence[int],
    file: str,
    unknown: Sequence[str] = (),
) -> list[str | None]:
    """Write signs before the labels that they belong to.

    Parameters
    ----------
    cells, signs : sequences of str or None
        Of the labels, and of the column of signs.
    column : str
        The name of that column.
    lines : sequence of int
        The line of the file in which each of them stands.
    file : str
        The file, for messages.
    unknown : sequence of str
        What stands for a label that is not known besides what always does; it gets no sign.

    Raises
    ------
    ExLMError
        If the column holds anything but signs.

    Examples
    --------
    >>> with_signs(["10000", "52", None, ">5"], [">", "=", ">", ">"], "relation", [2, 3, 4, 5], "assay.csv")
    ['>10000', '52', None, '>5']
    """
    texts = [tidy(sign) for sign in signs]
    read = {text: sign_of(text) for text in texts}
    if bad := [text for text, sign in read.items() if sign is None]:
        remedy = "correct them, or name another column with --relation"
        CellCounts(file, column, texts, lines).refuse(bad, "cells", "no sign such as =, <, > or ~", remedy)
    gaps = {tidy(text).casefold() for text in unknown}

    def joined(cell: str | None, sign: str) -> str | None:
        text = tidy(cell)
        return cell if is_unknown(text) or text.casefold() in gaps or text.startswith(sign) else sign + text

    return [joined(cell, read[text] or "") for cell, text in zip(cells, texts, strict=True)]


def check_relations(relations: Sequence[str], targets: Sequence[str]) -> None:
    """Refuse columns of signs of which it is not clear which labels they belong to."""
    if relations and len(relations) != len(targets):
        labels = "is 1 column" if len(targets) == 1 else f"are {len(targets)} columns"
        raise ExLMError(
            f"there {labels} of labels, and {len(relations)} of signs are named; "
            "name with --relation one for each column of labels, in their order"
        )


def says_more(column: str) -> bool:
    """Tell whether a column may hold the signs or units of another one, by its name.

    Examples
    --------
    >>> [name for name in ("Standard Relation", "standard_units", "unity", "smiles") if says_more(name)]
    ['Standard Relation', 'standard_units']
    """
    return bool(_SIGN_COLUMN.search(column) or _UNIT_COLUMN.search(column))


def remark(column: str, cells: CellCounts) -> str:
    """Say what a column that `says_more` means for labels that are read without it; empty if nothing.

    Parameters
    ----------
    column : str
        Its name.
    cells : CellCounts
        What stands in it.

    Examples
    --------
    >>> remark("Units", CellCounts("assay.csv", "Units", ["nM", "nM", "ug/mL"], [2, 3, 4]))
    "assay.csv: column 'Units': 'nM' (2 cells), 'ug/mL' (1 cell): if these are units of labels, ... as they stand"
    """
    if _UNIT_COLUMN.search(column):
        units = [text for text in cells.counts if text]  # nM is no "not measured" here
        what = "units of labels, convert them to one, since the numbers are taken as they stand"
        return f"{cells.where}: {cells.listed(units)}: if these are {what}" if len(units) > 1 else ""
    signs = {text: sign_of(text) for text in cells.counts}
    limits = [text for text, sign in signs.items() if sign]
    what = f"signs of labels, add --relation {quoted(column)}, since without it limits are taken for values"
    return (
        f"{cells.where}: {cells.listed(limits)}: if these are {what}" if limits and None not in signs.values() else ""
    )
