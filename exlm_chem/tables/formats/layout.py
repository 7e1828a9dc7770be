"""How a table of text is laid out: its separator, the line that names its columns, and the column of the SMILES.

The first lines are read with every separator, and the reading that makes most sense is taken. What makes no sense is
refused with the option that helps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exlm_chem.errors import ExLMError
from exlm_chem.tables.columns import Confidence, choose_smiles_column, mostly_molecules
from exlm_chem.tables.formats.first_rows import SEPARATORS, Reading
from exlm_chem.tables.formats.layout_faults import (
    data_column,
    later_header,
    refuse_first_line,
    refuse_separator,
    refuse_wanted_molecule,
)
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.sources import Source

_INSTRUCTION: Final = re.compile(r'\ufeff?"?sep=(\\t|.)"?\s*', re.IGNORECASE)
_FAR: Final = 1000
"""Lines in which the names of the columns are looked for, if they are not in the first."""


@dataclass(frozen=True)
class Layout:
    """How a table of text is understood."""

    delimiter: str
    skipped: int
    """Lines before the one that names the columns, or before the first row."""
    has_header: bool
    columns: list[str]
    smiles_index: int


def find_layout(source: Source, head: Sequence[str], options: ReadOptions, wanted: Sequence[str] = ()) -> Layout:
    """Understand a table by its first lines.

    Parameters
    ----------
    source : Source
        The file; gets notes about what is not obvious.
    head : sequence of str
        Its first lines.
    options : ReadOptions
        What the user says about it.
    wanted : sequence of str
        Other columns that are needed.

    Raises
    ------
    ExLMError
        If no column of SMILES is found, with the option that helps.
    """
    head = list(head)
    instruction = _INSTRUCTION.fullmatch(head[0]) if head else None
    skipped = _skipped(source, head, options, is_instructed=instruction is not None)
    has_header = options.header_line != 0
    if not any(map(str.strip, head[skipped:])):
        raise ExLMError(f"{source.name} is empty; its first line should name the columns")
    separators = [instruction[1].replace("\\t", "\t")] if instruction else _in_order(source.suffix)
    readings = [Reading(head[skipped:], separator, has_header=has_header) for separator in separators]
    best = max(readings, key=lambda reading: reading.score(options, wanted))  # the first of equals
    if options.header_line is None:
        _refuse_what_makes_no_sense(source, readings, best, options, skipped)
    if not any(map(str.strip, best.columns)):
        raise ExLMError(f"{source.name}: line {skipped + 1} names no columns; give another --header-line")
    index = choose_smiles_column(best.columns, best.cells, options.smiles_column, source.name, source.note)
    usual = instruction is not None or separators[0] == best.delimiter or len(best.columns) == 1
    if not usual:
        source.note(f"cells are separated by {SEPARATORS[best.delimiter]}")
    return Layout(best.delimiter, skipped, has_header, best.columns, index)


def is_table(head: Sequence[str], options: ReadOptions, *, any_header: bool) -> bool:
    """Tell whether a text without a telling suffix is a table, and not SMILES with names.

    Parameters
    ----------
    head : sequence of str
        Its first lines.
    options : ReadOptions
        What the user says about it.
    any_header : bool
        Whether anything that is more like a table is one; otherwise only what is called smiles in two or more columns.
    """
    if not head:
        return False
    if _INSTRUCTION.fullmatch(head[0]):
        return True
    if not any_header:
        readings = [Reading(head, separator) for separator in SEPARATORS]
        return any(
            reading.confidence(None) is Confidence.exact and len(reading.columns) > 1 and reading.evenness() == 1
            for reading in readings
        )
    if options.smiles_column is not None or options.header_line:
        return True
    best = max((Reading(head, separator) for separator in SEPARATORS), key=lambda reading: reading.score(options, ()))
    confidence = best.confidence(None)
    if confidence is Confidence.exact or (confidence > Confidence.none and len(best.columns) > 1):
        return True
    words = [line.split()[0] for line in head if line.strip()]
    return not mostly_molecules(words) and (data_column(best) is not None or later_header(best, options) is not None)


def _in_order(suffix: str) -> list[str]:
    first = "\t" if suffix in {".tsv", ".tab"} else ","
    return [first, *(separator for separator in SEPARATORS if separator != first)]


def _skipped(source: Source, head: Sequence[str], options: ReadOptions, *, is_instructed: bool) -> int:
    """Count the lines before the header, or before the first row if there is none."""
    if options.header_line:
        if options.header_line > len(head):
            raise ExLMError(f"{source.name} has no line {options.header_line}; give another --header-line")
        return options.header_line - 1
    skipped = int(is_instructed)
    if options.header_line is None:
        while skipped < len(head) and not head[skipped].strip("\r\n"):
            skipped += 1
    return skipped


def _refuse_what_makes_no_sense(
    source: Source, readings: Sequence[Reading], best: Reading, options: ReadOptions, skipped: int
) -> None:
    confidence = best.confidence(options.smiles_column)
    if options.smiles_column is not None and confidence > Confidence.none:
        refuse_wanted_molecule(source.name, best, options.smiles_column, skipped)
    elif confidence <= Confidence.named or (confidence < Confidence.exact and best.evenness() == 0 and best.rows):
        far = source.lines().peek(_FAR)[skipped:]
        refuse_separator(source.name, far, best)
        readings = [Reading(far, reading.delimiter) for reading in readings]
        refuse_first_line(source.name, readings, best, options, skipped)
