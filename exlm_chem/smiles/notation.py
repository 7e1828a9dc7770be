"""Texts that are a molecule in another notation: recognised by their first characters, and what to do about them."""

from __future__ import annotations

import re
from typing import Final, Literal

from exlm_chem.errors import ExLMError
from exlm_chem.smiles import steps
from exlm_chem.smiles.bounds import LONG, bounded, is_slow_block
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.smiles.selfies import smiles_from_selfies

Notation = Literal["InChI", "InChIKey", "SELFIES", "mol block", "JSON"]

_INCHI: Final = re.compile(r"InChI=", re.IGNORECASE)
_INCHI_KEY: Final = re.compile(r"(?:InChIKey=)?[A-Z]{14}-[A-Z]{10}-[A-Z]", re.IGNORECASE)
_MOL_BLOCK: Final = re.compile(r"^M  END|^.{33,36}V[23]000\s*$|^M  V30 ", re.MULTILINE)
_JSON: Final = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\"{])")
_SYMBOLS: Final = re.compile(r"\.?\[[^\[\]\s]+\](?:\.?\[[^\[\]\s]+\])*")
_SYMBOL: Final = re.compile(r"\[([^\[\]]+)\]")
_ONLY_SELFIES: Final = re.compile(
    r"[-/\\]{0,2}[=#]?(?:Branch|Ring)[1-3]|[=#/\\].*[A-Za-z].*|.*[A-Za-z]@{0,2}H[01](?:[+-][0-9])?|nop"
)
_PLAIN: Final = frozenset("C N O S P F Cl Br I B".split())

_CONVERT: Final = "give --convert (in Python: read_molecule(text, convert=True))"
_REMEDY: Final[dict[Notation, str]] = {
    "InChI": f"{_CONVERT}, or convert it by RDKit's Chem.MolFromInchi",
    "InChIKey": "it is a hash that holds no structure: look the SMILES up, for instance in PubChem",
    "SELFIES": f"{_CONVERT}, or convert it by selfies.decoder",
    "mol block": "give --convert, or give it as a file whose name ends with .sdf, or as an RDKit molecule",
    "JSON": "give the SMILES alone, or the file under a name that ends with .jsonl",
}


def recognised(text: str) -> Notation | None:
    r"""Tell which other notation a text is in, if it is one that is no SMILES.

    SELFIES of plain atoms only, as ``[C][C][O]``, would be SMILES of atoms without hydrogens, which nobody means;
    ``[H][H]``, ``[O][O]`` and what has hydrogens, charges or map numbers in it are SMILES.

    Examples
    --------
    >>> recognised("InChI=1S/CH4/h1H4"), recognised("[C][=O]"), recognised("[CH3][OH]"), recognised("CCO")
    ('InChI', 'SELFIES', None, None)
    """
    start = text[:1]
    if start in "Ii" and _INCHI.match(text):
        return "InChI"
    if start in "[.":
        if _is_selfies(text):
            return "SELFIES"
        return "JSON" if _JSON.match(text) else None
    if start == "{" and _JSON.match(text):
        return "JSON"
    if len(text) in (27, 36) and _INCHI_KEY.fullmatch(text):
        return "InChIKey"
    return None


def recognised_cell(cell: str) -> Notation | None:
    """Tell the same for a whole cell, with the blanks and line ends that mol blocks and JSON have.

    Examples
    --------
    >>> recognised_cell('{"smiles": "CCO"}')
    'JSON'
    """
    if _MOL_BLOCK.search(cell):
        return "mol block"
    return recognised(cell.strip())


def other_notation(notation: Notation) -> str:
    """Say what a text is, and what to do.

    Examples
    --------
    >>> other_notation("InChIKey").partition(":")[0]
    'this is an InChIKey, and a SMILES is expected'
    """
    article = "an" if notation.startswith("In") else "a" if notation == "mol block" else ""
    return f"this is {article} {notation}, and a SMILES is expected: {_REMEDY[notation]}".replace("  ", " ")


def converted(text: str, notation: Notation) -> str:
    """Turn InChI, SELFIES or a mol block into SMILES.

    Raises
    ------
    MoleculeError
        If it is another notation, or damaged.

    Examples
    --------
    >>> converted("InChI=1S/CH4O/c1-2/h2H,1H3", "InChI")
    'CO'
    """
    if notation == "SELFIES":
        return smiles_from_selfies(text)
    if notation == "InChI":
        return str(bounded(steps.read_inchi, text, suspicious=_is_long))
    if notation != "mol block":
        raise MoleculeError(other_notation(notation))
    smiles, error = bounded(steps.read_block, text, suspicious=is_slow_block)
    if error is not None:
        raise MoleculeError(error)
    return str(smiles)


def converted_cell(cell: str) -> tuple[str, str | None, str | None]:
    """Turn a cell in another notation into SMILES, and leave any other cell as it is.

    Returns
    -------
    cell : str
        SMILES, or the cell itself.
    note : str or None
        What it was converted from.
    error : str or None
        Why a cell in another notation cannot be converted.

    Examples
    --------
    >>> converted_cell("InChI=1S/CH4O/c1-2/h2H,1H3"), converted_cell("CCO ethanol")
    (('CO', 'converted from InChI', None), ('CCO ethanol', None, None))
    """
    notation = recognised_cell(cell)
    if notation is None:
        return cell, None, None
    try:
        smiles = converted(cell if notation == "mol block" else cell.strip(), notation)
    except ExLMError as error:
        return cell, None, str(error)
    return smiles, f"converted from {notation}", None


def _is_long(text: str) -> bool:
    return len(text) > LONG


def _is_selfies(text: str) -> bool:
    if not _SYMBOLS.fullmatch(text):
        return False
    symbols = _SYMBOL.findall(text)
    if any(_ONLY_SELFIES.fullmatch(symbol) for symbol in symbols):
        return True
    return len(symbols) > 1 and "C" in symbols and _PLAIN.issuperset(symbols)
