"""What a user may say about a file that is to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from exlm_chem.options import check_options, documented, option
from exlm_chem.tables.encodings import checked_encoding

_GROUP = "Reading"


@documented
@dataclass(frozen=True)
class ReadOptions:
    """How a file of molecules is read, where that shall not be found out from the file."""

    smiles_column: str | None = option(
        None, "The column of the SMILES.", shown="found by its name", metavar="NAME", group=_GROUP
    )
    encoding: str | None = option(
        None,
        "The encoding of the text, such as cp1252 or gbk.",
        note="Without it, text is UTF-8 or UTF-16, and bytes that are neither are kept as they are.",
        shown="UTF-8; other bytes are kept as they are",
        metavar="NAME",
        group=_GROUP,
    )
    header_line: int | None = option(
        None,
        "The line that names the columns, from 1; 0 if there is none.",
        note="Lines before it are left aside. Without a header, the columns are called column_1, column_2, ...",
        shown="the first",
        metavar="N",
        least=0,
        most=1000,
        group=_GROUP,
    )
    sheet: str | None = option(
        None,
        "The sheet of an Excel workbook.",
        shown="the only one with molecules",
        metavar="NAME",
        group=_GROUP,
    )
    convert: bool = option(
        False,
        "Convert InChI, SELFIES and mol blocks in the column of the SMILES.",
        note="Otherwise such rows are told what they are.",
        group=_GROUP,
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.encoding is not None:
            checked_encoding(self.encoding)

    @classmethod
    def of(cls, given: Self | str | None) -> ReadOptions:
        """Take the name of the SMILES column for options with only that.

        Examples
        --------
        >>> ReadOptions.of("structure").smiles_column
        'structure'
        """
        return given if isinstance(given, ReadOptions) else cls(smiles_column=given)
