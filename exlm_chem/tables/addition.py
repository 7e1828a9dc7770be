"""What a command adds to the rows of a file: names of columns, and what finds their cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exlm_chem.tables.answers import Answers
from exlm_chem.terms import Standardise


@dataclass(frozen=True, kw_only=True)
class Addition:
    """What a command adds to the rows of a file.

    Attributes
    ----------
    name : str
        The prefix of ``note``, ``error`` and ``smiles_used`` where these names are taken.
    columns : sequence of (str, str, type)
        Name, prefix and type (see `open_writer`) of every column of numbers, and then of every other one.
    rules : sequence of str
        The rules of standardisation, each of which gets a column ``smiles_used``.
    begin : callable
        Takes the SMILES of some rows, None where there is none, and their cells of the columns in `needs` by the names
        there, and begins to answer; what it gives finishes that, and gives `Answers`. The next rows are begun before
        these are finished.
    answered, unanswered : str
        What a row is called that has an answer, or none.
    needs : sequence of str
        Columns of the file that are read besides the SMILES.
    depends_on : callable
        Gives what other answers would come from, besides the options, as JSON can hold it.
    again : callable, optional
        Makes the same addition in another process, to which it can be sent.
    """

    name: str
    columns: Sequence[tuple[str, str, Any]]
    rules: Sequence[Standardise]
    begin: Callable[[Sequence[str | None], Mapping[str, Sequence[str | None]]], Callable[[], Answers]]
    answered: str
    unanswered: str
    needs: Sequence[str] = ()
    depends_on: Callable[[], Any] = lambda: None
    again: Callable[[], Addition] | None = None
