"""Which column is meant: one look-up for every name that a user gives, and one rule for the column of the SMILES."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Final

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.smiles.notation import recognised
from exlm_chem.tables.encodings import encoding_hint

SMILES: Final = "smiles"
_ALSO_SMILES: Final = frozenset(["smi", "cxsmi"])
_WEAK: Final = frozenset(
    "mol mols molecule molecules structure structures compound compounds ligand ligands drug drugs substance".split()
)
"""Names under which there are molecules in some files and anything else in others."""
_CODES: Final = frozenset("compound compounds ligand ligands drug drugs".split())
"""Names under which there may be codes of the Protein Data Bank, such as NCO, which are SMILES too."""

_SEPARATORS: Final = re.compile(r"[\s_-]+")
_CODE: Final = re.compile(r"[A-Z0-9]{1,3}")
_NOTATIONS: Final = frozenset(["InChI", "InChIKey", "SELFIES"])
_LISTED: Final = 20
_LOOKED_AT: Final = 20
_SANITISED: Final = 200  # characters; RDKit may need long for some longer ones, and this is only a guess


class Confidence(IntEnum):
    """Why a column is believed to hold the SMILES, the weakest reason first."""

    none = 0
    named = 1
    """Its name holds "smiles", but most of its cells are no molecules."""
    weak = 2
    """Its name may mean anything, and most of its cells are molecules."""
    contained = 3
    """Its name holds "smiles", and most of its cells are molecules."""
    exact = 4
    """It is called "smiles"."""


def normalised(column: str) -> str:
    r"""Write a name without what is easily mistaken: case, white space, hyphens for underscores.

    Examples
    --------
    >>> normalised(" Canonical SMILES\n")
    'canonical_smiles'
    """
    return _SEPARATORS.sub("_", column.strip().casefold())


def says_smiles(column: str) -> bool:
    """Tell whether a name says that SMILES are in the column.

    Examples
    --------
    >>> says_smiles("Ligand SMILES"), says_smiles("structure")
    (True, False)
    """
    name = normalised(column)
    return SMILES in name or name in _ALSO_SMILES


def find_column(columns: Sequence[str], wanted: str, name: str) -> int:
    """Find the column that a user means: by its very name, or else without regard to white space and case.

    Parameters
    ----------
    columns : sequence of str
        All names.
    wanted : str
        What the user calls it.
    name : str
        The file, for the message.

    Raises
    ------
    ExLMError
        If there is none, or more than one.

    Examples
    --------
    >>> find_column(["id", " logS "], "logs", "a.csv")
    1
    >>> find_column(["id", "logS"], "logD", "a.csv")
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: a.csv has no column 'logD' (is 'logS' meant?); its columns are: 'id', 'logS'
    """
    for same in (
        [index for index, column in enumerate(columns) if column == wanted],
        [index for index, column in enumerate(columns) if normalised(column) == normalised(wanted)],
    ):
        if len(same) == 1:
            return same[0]
        if same:
            found = [columns[index] for index in same]
            which = "" if set(found) == {wanted} else f" ({listed(found)})"
            raise ExLMError(f"{name} has {len(same)} columns {quoted(wanted)}{which}; rename all but one of them")
    close = difflib.get_close_matches(normalised(wanted), [normalised(column) for column in columns], 1)
    meant = next((column for column in columns if close and normalised(column) == close[0]), None)
    hint = "" if meant is None else f" (is {quoted(meant)} meant?)"
    known = f"its columns are: {listed(columns)}{encoding_hint(columns)}"
    raise ExLMError(f"{name} has no column {quoted(wanted)}{hint}; {known}")


def has_column(columns: Sequence[str], wanted: str) -> bool:
    """Tell whether `find_column` would find something, be it several.

    Examples
    --------
    >>> has_column(["id", " logS "], "logs")
    True
    """
    return any(normalised(column) == normalised(wanted) for column in columns)


def listed(columns: Sequence[str]) -> str:
    """List names for a message.

    Examples
    --------
    >>> listed(["id", "smiles"])
    "'id', 'smiles'"
    """
    more = len(columns) - _LISTED
    return ", ".join(map(quoted, columns[:_LISTED])) + (f" and {more:,} more" if more > 0 else "")


def likeliest(columns: Sequence[str], cells: Callable[[int], Sequence[Any]]) -> tuple[Confidence, list[int]]:
    """Find the columns that hold the SMILES, judging by names and first cells.

    Parameters
    ----------
    columns : sequence of str
        Their names.
    cells : callable
        Gives the first cells of a column.

    Returns
    -------
    confidence : Confidence
        Why.
    indices : list of int
        The columns; more than one if there is nothing to choose between them.

    Examples
    --------
    >>> rows = ["NCO", "CC(=O)O"], ["CCN", "c1ccccc1"]
    >>> likeliest(["ligand", "ligand_smiles"], lambda index: [row[index] for row in rows])
    (<Confidence.contained: 3>, [1])
    """
    exact = [index for index, column in enumerate(columns) if normalised(column) == SMILES]
    if exact:
        believed = [index for index in exact if columns[index] == SMILES]
        if len(believed) != 1 and len(exact) > 1:
            believed = [index for index in exact if mostly_molecules(cells(index))]
        return Confidence.exact, believed or exact
    named = [index for index, column in enumerate(columns) if says_smiles(column)]
    if believed := [index for index in named if mostly_molecules(cells(index))]:
        return Confidence.contained, believed
    weak = [index for index, column in enumerate(columns) if normalised(column) in _WEAK]
    if believed := [index for index in weak if _believable(columns[index], cells(index))]:
        return Confidence.weak, believed
    return (Confidence.named, named) if named else (Confidence.none, [])


def choose_smiles_column(
    columns: Sequence[str],
    cells: Callable[[int], Sequence[Any]],
    wanted: str | None,
    name: str,
    note: Callable[[str], None],
) -> int:
    """Decide which column is read; a choice that is not obvious is noted.

    Parameters
    ----------
    columns, cells
        See `likeliest`.
    wanted : str or None
        The column that the user names.
    name : str
        The file, for messages.
    note : callable
        Takes the note.

    Raises
    ------
    ExLMError
        If the named column is not there, or there is none or more than one that could be meant.
    """
    if wanted is not None:
        return find_column(columns, wanted, name)
    confidence, indices = likeliest(columns, cells)
    if len(indices) == 1:
        if confidence is not Confidence.exact:
            note(f"the SMILES are read from column {quoted(columns[indices[0]])}")
        return indices[0]
    if indices:
        which = listed([columns[index] for index in indices])
        if len({columns[index] for index in indices}) == 1:
            raise ExLMError(
                f"{name} has {len(indices)} columns {quoted(columns[indices[0]])}; rename all but one of them"
            )
        raise ExLMError(f"{name} may have its SMILES in any of the columns {which}; choose one with --smiles-column")
    like = [index for index in range(len(columns)) if _believable(columns[index], cells(index))]
    which = f"{quoted(columns[like[0]])} looks like it: try --smiles-column {quoted(columns[like[0]])}" if like else ""
    raise ExLMError(
        f"{name} has no column named smiles; its columns are: {listed(columns)}; "
        + (which or "choose one with --smiles-column")
    )


def mostly_molecules(cells: Sequence[Any]) -> bool:
    """Tell whether more than half of some cells are molecules, empty ones not counted.

    Examples
    --------
    >>> mostly_molecules(["CCO", "", "CC(=O)O", "x"]), mostly_molecules(["1", "2"]), mostly_molecules([])
    (True, False, False)
    """
    texts = [text for cell in cells[:_LOOKED_AT] if (text := str(cell).strip())]
    return 2 * sum(map(is_molecule, texts)) > len(texts)


def is_molecule(text: str) -> bool:
    """Tell whether a text is surely meant as a molecule, for guesses about a file.

    Examples
    --------
    >>> is_molecule("c1ccccc1"), is_molecule("InChI=1S/CH4/h1H4"), is_molecule("aspirin"), is_molecule("")
    (True, True, False, False)
    """
    from rdkit import Chem, rdBase

    if not text or not text.isascii() or text.isdigit():
        return False
    if recognised(text) in _NOTATIONS:  # what the rows are to be told
        return True
    with rdBase.BlockLogs():
        try:
            molecule = Chem.MolFromSmiles(text, sanitize=len(text) <= _SANITISED)
        except (RuntimeError, ValueError, TypeError):
            return False
    return molecule is not None and molecule.GetNumAtoms() > 0


def _believable(column: str, cells: Sequence[Any]) -> bool:
    texts = [text for cell in cells[:_LOOKED_AT] if (text := str(cell).strip())]
    if normalised(column) in _CODES and all(map(_CODE.fullmatch, texts)):
        return False
    return mostly_molecules(texts)
