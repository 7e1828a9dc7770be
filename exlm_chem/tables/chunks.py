"""The rows of a file, so many at a time, and what is asked about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from exlm_chem.tables.formats.table import Record, as_text
from exlm_chem.tables.reader import MoleculeReader

Chunk = list[Record]
Question = tuple[list[str | None], dict[str, list[str | None]]]
"""The SMILES of some rows, and their cells of other columns: what `Addition.begin` takes."""


def chunks_of(reader: MoleculeReader, size: int) -> Iterator[Chunk]:
    """Read a file, so many rows at a time.

    Examples
    --------
    >>> with MoleculeReader(["C", "CC", "CCC"]) as reader:
    ...     [len(chunk) for chunk in chunks_of(reader, 2)]
    [2, 1]
    """
    records = iter(reader)
    while chunk := list(islice(records, size)):
        yield chunk


def question_of(chunk: Chunk, needed: Mapping[str, int]) -> Question:
    """Give what is asked about some rows; a row that is wrong as a row has no molecule that could be trusted.

    Parameters
    ----------
    chunk : list of Record
        The rows.
    needed : mapping of str to int
        The places of the columns that are read besides the SMILES.

    Examples
    --------
    >>> question_of([Record(1, ["CCO", "7"], smiles="CCO")], {"dose": 1})
    (['CCO'], {'dose': ['7']})
    """
    good = [record.error is None for record in chunk]
    smiles = [record.smiles if fine else None for record, fine in zip(chunk, good, strict=True)]
    cells = {
        name: [as_text(record.cells[place]) if fine else None for record, fine in zip(chunk, good, strict=True)]
        for name, place in needed.items()
    }
    return smiles, cells
