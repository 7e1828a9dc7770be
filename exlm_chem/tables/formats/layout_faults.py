"""Tables of text whose first line makes no sense: what is wrong with it, and the option that helps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.smiles.grammar import SmilesSyntaxError, split_tokens
from exlm_chem.tables.columns import (
    Confidence,
    has_column,
    is_molecule,
    likeliest,
    mostly_molecules,
    normalised,
    says_smiles,
)
from exlm_chem.tables.formats.first_rows import SEPARATORS, Reading
from exlm_chem.tables.read_options import ReadOptions

_NOT_READ: Final = {" ": "blanks", "^": "carets", "~": "tildes", ":": "colons"}
_NUMBER: Final = re.compile(r"[-+\u2212<>=~]*\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?%?")
_FEWEST_TOKENS: Final = 4  # of a SMILES that is none; fewer may be a name such as S1


def refuse_wanted_molecule(name: str, best: Reading, wanted: str, skipped: int) -> None:
    """Refuse a wanted column whose name is a molecule: the table has no names, and the molecule would be lost.

    Raises
    ------
    ExLMError
        With the options for both cases.
    """
    index = next(place for place, column in enumerate(best.columns) if normalised(column) == normalised(wanted))
    column = best.columns[index]
    if len(column) > 2 and best.rows and _is_data(best, index):
        raise ExLMError(
            f"{name}: {quoted(column)} in line {skipped + 1} is a molecule and no name of a column; "
            f"give --header-line 0 if there are no names, or --header-line {skipped + 1} if it is one"
        )


def refuse_first_line(
    name: str, readings: Sequence[Reading], best: Reading, options: ReadOptions, skipped: int
) -> None:
    """Refuse a table whose first line is a row of data, or comes before the names of the columns.

    Parameters
    ----------
    name : str
        The file.
    readings : sequence of Reading
        Its first rows, read with every separator.
    best : Reading
        The one that makes most sense.
    options : ReadOptions
        What the user says about it.
    skipped : int
        Lines before these rows.

    Raises
    ------
    ExLMError
        With the option that helps.
    """
    in_order = sorted(readings, key=lambda one: one.delimiter != best.delimiter)
    for reading in in_order:
        later = later_header(reading, options)
        if later is not None:
            first, number = quoted(best.delimiter.join(best.columns).strip()), skipped + later + 1
            raise ExLMError(
                f"{name}: line {skipped + 1} ({first}) names no column of SMILES, but line {number} does; "
                f"give --header-line {number} to begin there"
            )
    for reading in in_order:
        place = data_column(reading)
        if place is not None:
            cell = reading.columns[place]
            what = "with the molecule" if is_molecule(cell.strip()) else "with a broken SMILES,"
            raise ExLMError(
                f"{name} does not name its columns: line {skipped + 1} is a row of data, {what} "
                f"{quoted(cell)}; give --header-line 0, or put a line with names above it"
            )


def refuse_separator(name: str, head: Sequence[str], best: Reading) -> None:
    """Refuse a table that is one column only because its cells are separated by something else.

    Raises
    ------
    ExLMError
        With what to do about it.
    """
    if len(best.columns) > 1:
        return
    for separator, called in {**SEPARATORS, **_NOT_READ}.items():
        lines = [re.sub(" +", " ", line) for line in head] if separator == " " else head
        reading = Reading(lines, separator)
        if len(reading.columns) > 1 and reading.confidence(None) is Confidence.exact and reading.evenness() > 0.5:
            read = ", ".join(one for one in SEPARATORS.values() if one != "vertical bars")
            remedy = (
                "correct its first line, which names another separator"
                if separator in SEPARATORS
                else f"save it with {read} or vertical bars between them"
            )
            raise ExLMError(f"{name}: cells seem to be separated by {called}; {remedy}")


def later_header(reading: Reading, options: ReadOptions) -> int | None:
    """Find the index of a later line that names a column of SMILES."""
    for place, (line, row) in enumerate(zip(reading.lines[1:], reading.rows, strict=False), 1):
        if options.smiles_column is not None:
            found = has_column(row, options.smiles_column) and not _NUMBER.fullmatch(options.smiles_column)
        else:
            found = any(normalised(cell) == "smiles" for cell in row) or (
                len(row) > 1 and not any(map(_NUMBER.fullmatch, row)) and _names_smiles(row, reading.rows[place:])
            )
        if found and not any(len(cell) > 2 and is_molecule(cell.strip()) for cell in row):
            return line
    return None


def data_column(reading: Reading) -> int | None:
    """Find the column whose molecules begin in the first line."""
    return next((index for index in range(len(reading.columns)) if _is_data(reading, index)), None)


def _names_smiles(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    def cells(index: int) -> list[str]:
        return [one[index] for one in below if index < len(one)]

    return any(map(says_smiles, row)) or likeliest(row, cells)[0] > Confidence.named


def _is_data(reading: Reading, index: int) -> bool:
    """Tell whether the first cell of a column is a molecule, or meant as one, as are those below it."""
    cell, below = reading.columns[index].strip(), reading.cells(index)
    if reading.rows and not mostly_molecules(below):
        return False
    return is_molecule(cell) or (bool(reading.rows) and _is_broken_smiles(cell))


def _is_broken_smiles(cell: str) -> bool:
    try:
        tokens = split_tokens(cell)
    except SmilesSyntaxError:
        return False
    return len(tokens) >= _FEWEST_TOKENS
