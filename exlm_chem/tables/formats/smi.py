"""SMILES files: one molecule per line, a name after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exlm_chem.errors import ExLMError
from exlm_chem.tables.columns import find_column, is_molecule, says_smiles
from exlm_chem.tables.formats.table import Record, Table
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.sources import Lines, Source


def open_smi(source: Source, options: ReadOptions, _wanted: Sequence[str] = ()) -> Table:
    """Open a SMILES file; its first line may name the columns."""
    lines = source.lines()
    first = (lines.peek() or [""])[0]
    for _ in range((options.header_line or 1) - 1):
        first = next(lines, "")
    if options.header_line is not None and options.header_line > 1:
        first = (lines.peek() or [""])[0]
    has_header = _is_header(first) if options.header_line is None else options.header_line > 0
    columns = ["smiles", "name"]
    if has_header:
        names = next(lines, "").split(None, 1)
        if not names:
            raise ExLMError(f"{source.name}: line {lines.number} names no columns; give another --header-line")
        columns = [names[0], names[1].strip() if len(names) > 1 else "name"]
    elif options.smiles_column is None and _names_come_first(lines.peek()):
        raise ExLMError(
            f"{source.name}: the second word of its lines is the SMILES, not the first; use --smiles-column name"
        )
    index = 0 if options.smiles_column is None else find_column(columns, options.smiles_column, source.name)
    return Table(columns, _rows(lines), index, source.close)


def _is_header(line: str) -> bool:
    word = (line.split(None, 1) or [""])[0]
    return says_smiles(word) and not is_molecule(word)


def _names_come_first(lines: Sequence[str]) -> bool:
    """Tell whether every line has two words of which only the second is a molecule."""
    words = [line.split() for line in lines if not line.isspace()]
    return len(words) > 1 and all(len(one) == 2 and not is_molecule(one[0]) and is_molecule(one[1]) for one in words)


def _rows(lines: Lines) -> Iterator[Record]:
    blank = 0
    for line in lines:
        smiles, *name = line.split(None, 1)[:2] or [""]
        if not smiles:
            blank += 1
            continue
        for number in range(lines.number - blank, lines.number):  # blank lines are rows, except those at the end
            yield Record(number, ["", ""])
        blank = 0
        yield Record(lines.number, [smiles, name[0].rstrip("\r\n") if name else ""])
