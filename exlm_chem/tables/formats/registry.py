"""All file formats of molecules: to add one is a file that opens it, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from exlm_chem.errors import ExLMError
from exlm_chem.tables.formats import refused
from exlm_chem.tables.formats.delimited import open_delimited
from exlm_chem.tables.formats.json_lines import is_json_lines, open_json_lines
from exlm_chem.tables.formats.layout import is_table
from exlm_chem.tables.formats.parquet import MAGIC, open_parquet
from exlm_chem.tables.formats.sdf import is_sdf, open_sdf
from exlm_chem.tables.formats.smi import open_smi
from exlm_chem.tables.formats.table import Table
from exlm_chem.tables.formats.workbook import MAGIC as WORKBOOK_MAGIC
from exlm_chem.tables.formats.workbook import open_workbook
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.sources import Source


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes
    ----------
    name : str
        What people call it.
    suffixes : tuple of str
        Endings of its files, in lower case.
    open : callable
        Opens a source as a table, with what the user says about it and the columns that are needed.
    recognises : callable
        Whether first lines can be nothing else, whatever the name of the file.
    magic : bytes
        What its files begin with, if they are no text.
    """

    name: str
    suffixes: tuple[str, ...]
    open: Callable[[Source, ReadOptions, Sequence[str]], Table]
    recognises: Callable[[Sequence[str]], bool] = lambda _: False
    magic: bytes = b""


SMI: Final = Format("SMILES file", (".smi", ".smiles", ".ism", ".can"), open_smi)
DELIMITED: Final = Format("table of text", (".csv", ".tsv", ".tab"), open_delimited)
WORKBOOK: Final = Format("Excel workbook", (".xlsx", ".xlsm"), open_workbook, magic=WORKBOOK_MAGIC)
FORMATS: Final = (
    SMI,
    DELIMITED,
    Format("SDF", (".sdf", ".sd", ".mol", ".mdl"), open_sdf, is_sdf),
    Format("Parquet", (".parquet", ".pq"), open_parquet, magic=MAGIC),
    WORKBOOK,
    Format("JSON Lines", (".jsonl", ".ndjson", ".jsonlines"), open_json_lines, is_json_lines),
)

SUFFIXES: Final = {suffix: one for one in FORMATS for suffix in one.suffixes}
"""The format that a suffix stands for; any other file is looked into."""

FILE_SUFFIXES: Final = frozenset([*SUFFIXES, *refused.REMEDIES, ".gz", ".zst", ".txt"])
"""Endings of what is a file and no SMILES."""


def open_table(source: Source, options: ReadOptions, wanted: Sequence[str] = ()) -> Table:
    """Open a file of molecules: by its first bytes, its suffix, or its first lines.

    Parameters
    ----------
    source : Source
        The file; it is closed if it cannot be opened as a table.
    options : ReadOptions
        What the user says about it.
    wanted : sequence of str
        Columns that are needed besides the SMILES; they help to find the separator.

    Raises
    ------
    ExLMError
        If it cannot be read, now or while its rows are read.
    """
    try:
        form = _format_of(source, options)
        if options.sheet is not None and form is not WORKBOOK:
            raise ExLMError(f"{source.name} is no Excel workbook; leave --sheet away")
        table = form.open(source, options, wanted)
        table.form = {"format": form.name, "encoding": source.encoding, **table.form}
        return table
    except BaseException:
        source.close()
        raise


def _format_of(source: Source, options: ReadOptions) -> Format:
    by_suffix = SUFFIXES.get(source.suffix)
    binary = next((one for one in FORMATS if one.magic and source.head.startswith(one.magic)), None)
    if binary is not None:
        return binary
    if by_suffix is not None and by_suffix.magic:
        return by_suffix  # says what is wrong with it
    refused.refuse_bytes(source)
    head = source.first_lines()
    for one in FORMATS:
        if one.recognises(head):
            return one
    if by_suffix not in (SMI, DELIMITED) and by_suffix is not None:
        return by_suffix
    refused.refuse_text(source, head)
    if by_suffix is DELIMITED or is_table(head, options, any_header=by_suffix is None):
        return DELIMITED
    return SMI


__all__ = ["DELIMITED", "FILE_SUFFIXES", "FORMATS", "SMI", "SUFFIXES", "Format", "open_table"]
