"""The first rows of a table of text, read with one separator, and how much sense that makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from exlm_chem.tables.columns import Confidence, has_column, likeliest, mostly_molecules, says_smiles
from exlm_chem.tables.formats.rows import split_rows
from exlm_chem.tables.read_options import ReadOptions

SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""What may stand between cells, the likeliest first."""


class Reading:
    """The first rows of a table, read with one separator.

    Attributes
    ----------
    columns : list of str
        The cells of the first row, or made-up names.
    rows : list of list of str
        The rows after it.
    lines : list of int
        Index of the line at which each of all rows begins.
    """

    def __init__(self, head: Sequence[str], delimiter: str, *, has_header: bool = True) -> None:
        self.delimiter = delimiter
        records = [record for record in split_rows(head, delimiter, "the file") if record.cells]
        self.lines, rows = [record.line - 1 for record in records], [record.cells for record in records]
        if has_header:
            self.columns, self.rows = rows[0] if rows else [], rows[1:]
        else:
            self.columns, self.rows = _made_up(rows), rows

    def cells(self, index: int) -> list[str]:
        """Give the first cells of a column."""
        return [row[index] for row in self.rows if index < len(row)]

    def confidence(self, smiles_column: str | None) -> Confidence:
        """Say how sure it is that there is a column of SMILES."""
        if smiles_column is not None:
            return Confidence.exact if has_column(self.columns, smiles_column) else Confidence.none
        return likeliest(self.columns, self.cells)[0]

    def evenness(self) -> float:
        """Give the share of rows that have as many cells as the first, or fewer because the last are empty."""
        if len(self.columns) < 2:
            return 0.0
        even = [len(row) == len(self.columns) for row in self.rows]
        return sum(even) / len(even) if even else 0.5

    def score(self, options: ReadOptions, wanted: Sequence[str]) -> tuple[Any, ...]:
        """Say how much sense it makes; the larger the better."""
        confidence = self.confidence(options.smiles_column)
        foreign = "".join(SEPARATORS).replace(self.delimiter, "")
        named = [column for column in self.columns if says_smiles(column)]
        return (
            confidence > Confidence.none,
            sum(has_column(self.columns, target) for target in wanted),
            confidence,
            not any(sign in column for column in named for sign in foreign),
            round(self.evenness(), 1),
            len(self.columns) > 1,
        )


def _made_up(rows: Sequence[Sequence[str]]) -> list[str]:
    """Name the columns of a table that does not; the only one with molecules is called smiles."""
    width = max(map(len, rows), default=0)
    names = [f"column_{index + 1}" for index in range(width)]
    columns = ([row[index] for row in rows if index < len(row)] for index in range(width))
    molecules = [index for index, cells in enumerate(columns) if mostly_molecules(cells)]
    if len(molecules) == 1:
        names[molecules[0]] = "smiles"
    return names
