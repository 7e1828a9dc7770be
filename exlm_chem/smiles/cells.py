"""What a cell holds besides a SMILES: nothing, an extension, a name, or a part of it that is not to be lost.

SMILES has no blanks, so a blank ends it. What follows is harmless if it is a CXSMILES extension or a name. But a PDF or
a spreadsheet also breaks long SMILES, and then the first part is another molecule, with another number. Characters that
nobody can see are none of SMILES, and are left aside.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from exlm_chem.errors import quoted
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.smiles.grammar import SmilesSyntaxError, split_tokens

EMPTY: Final = "no SMILES in this row"

INVISIBLE: Final = "".join(
    map(chr, (0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF))
)
"""Blanks and joiners of no width, marks of direction and of byte order; they come from web pages and spreadsheets."""

_LINE_BREAK: Final = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_LEFT_ASIDE: Final = re.compile(rf"[{INVISIBLE}]|\u00ad(?![^\[\]]*\])")
"""Soft hyphens too, but in brackets, where one that a PDF drew as a minus is a charge."""
_NUMBER: Final = re.compile(r"[0-9][0-9.,:/-]*")
_JOINING: Final = frozenset("and or plus with und oder mit et ou".split())


class Cell(NamedTuple):
    """A cell, taken apart."""

    smiles: str
    """What may be a SMILES; empty if there is an error."""
    note: str | None = None
    """What was left aside."""
    error: str | None = None
    """Why there is no SMILES in it."""


def split_cell(cell: Any) -> Cell:
    r"""Take a cell apart into the SMILES and what was left aside, without a look at the molecule.

    Parameters
    ----------
    cell : str, bytes or None
        NaN counts as None; anything else is an error that names its type.

    Examples
    --------
    >>> split_cell(" OCC |$;;$| ethanol")
    Cell(smiles='OCC', note="text after the SMILES was left aside: '|$;;$| ethanol'", error=None)
    >>> split_cell("\u200bOCC")
    Cell(smiles='OCC', note='invisible characters were left aside: U+200B', error=None)
    >>> split_cell("CC(=O)O c1ccccc1C(=O)O").error
    "blank at position 7 inside of the SMILES: 'c1ccccc1C(=O)O' after it would be lost; take the blank out"
    >>> split_cell(3).error
    'neither text nor an RDKit molecule, but int'
    """
    if isinstance(cell, bytes | bytearray):
        try:
            cell = cell.decode("utf-8")
        except UnicodeDecodeError as error:
            return Cell("", error=f"bytes that are no UTF-8 at position {error.start}; give them as text")
    if not isinstance(cell, str):
        return Cell("", error=EMPTY if _is_missing(cell) else f"neither text nor an RDKit molecule, but {_kind(cell)}")
    if not cell.isascii() and (unseen := _LEFT_ASIDE.findall(cell)):
        return _with_note(split_cell(_LEFT_ASIDE.sub("", cell)), unseen)
    smiles, *rest = cell.split(None, 1) or [""]
    return _with_rest(cell.strip(), smiles, rest[0].rstrip()) if rest else Cell(smiles, error=None if smiles else EMPTY)


def _with_note(cell: Cell, unseen: list[str]) -> Cell:
    """Say which characters were taken out, if there is a SMILES without them."""
    if cell.error is not None:
        return cell
    names = ", ".join(f"U+{ord(one):04X}" for one in dict.fromkeys(unseen))
    note = f"invisible characters were left aside: {names}"
    return cell._replace(note=note if cell.note is None else f"{note}; {cell.note}")


def _with_rest(text: str, smiles: str, rest: str) -> Cell:
    where = _LINE_BREAK.search(text)
    if where is not None:
        return Cell("", error=f"line break at position {where.start()} inside of the SMILES {quoted(text)}")
    if _could_belong(rest):
        reason = f"blank at position {len(smiles)} inside of the SMILES: {quoted(rest)} after it would be lost"
        return Cell("", error=f"{reason}; take the blank out")
    return Cell(smiles, note=f"text after the SMILES was left aside: {quoted(rest)}")


def only_smiles(text: str) -> str:
    """Take a text apart and give the SMILES in it, unread.

    Raises
    ------
    MoleculeError
        If there is none, or perhaps more than one.

    Examples
    --------
    >>> only_smiles("CCO ethanol")
    'CCO'
    """
    smiles, _, error = split_cell(text)
    if error is not None:
        raise MoleculeError("no SMILES: the text is empty" if isinstance(text, str) and not text.strip() else error)
    return smiles


def _could_belong(rest: str) -> bool:
    """Tell whether a text after a blank could be part of the SMILES, or another one."""
    if rest.startswith("|"):  # a CXSMILES extension, and perhaps a name
        return False
    words = [word for word in rest.split() if any(map(str.isalnum, word)) and word.lower() not in _JOINING]
    if not words:  # signs only: a bracket or bond is a part, a dash or plus is none
        return any(sign in rest for sign in "()[]=#")
    if len(words) == 1 and _NUMBER.fullmatch(words[0]):  # a number, not ring closures
        return False
    return all(map(_is_smiles_tokens, words))


def _is_smiles_tokens(word: str) -> bool:
    try:
        split_tokens(word.strip("+,;&"))
    except SmilesSyntaxError:
        return False
    return True


def _is_missing(cell: Any) -> bool:
    """Tell whether a cell is None, a NaN of any kind, or pandas' NA or NaT."""
    if cell is None or type(cell).__name__ in {"NAType", "NaTType"}:
        return True
    try:
        return bool(cell != cell)  # noqa: PLR0124  (this is what NaN is)
    except (TypeError, ValueError):
        return False


def _kind(cell: Any) -> str:
    kind = type(cell)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
