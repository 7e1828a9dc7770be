"""Why RDKit refuses a SMILES: one short sentence with the position, instead of RDKit's lines on stderr.

RDKit says no in three ways: the text is no SMILES (syntax), an atom has too many bonds (valence), or an aromatic ring
has no arrangement of double bonds (kekulisation). The first is found by one walk over the pieces of the text, the other
two by asking RDKit for its list of problems.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

from rdkit import Chem

from exlm_chem.smiles.grammar import PIECES, SmilesSyntaxError, split_tokens

_BONDS: Final = frozenset(["-", "=", "#", "$", ":", "/", "\\", "~", "->", "<-"])
_ATOMS: Final = frozenset(["Br", "Cl", *"BCNOPSFIbcnops*"])


def reason_for_refusal(smiles: str) -> str:
    """Say why RDKit does not accept a SMILES.

    Parameters
    ----------
    smiles : str
        A text that ``Chem.MolFromSmiles`` has refused. The caller blocks RDKit's log.

    Returns
    -------
    str
        One clause with positions counted from 0, as in the rest of the package.

    Examples
    --------
    >>> reason_for_refusal("CC(C")
    "not SMILES at position 2: '(' is never closed"
    >>> from rdkit import rdBase
    >>> with rdBase.BlockLogs():
    ...     reason_for_refusal("CN(C)(C)C")
    'impossible valence: atom 1 (N at position 1) has 4 bonds'
    """
    try:
        split_tokens(smiles)
    except SmilesSyntaxError as error:
        return f"not SMILES at position {error.position}: {error.reason}"
    fault = _syntax_fault(smiles)
    if fault is not None:
        return f"not SMILES at position {fault[0]}: {fault[1]}"
    try:
        molecule: Any = Chem.MolFromSmiles(smiles, sanitize=False)  # None, whatever RDKit's type hints say
        if molecule is None:
            return "not SMILES: RDKit cannot read it"
        return _chemistry_fault(molecule, smiles)
    except (RuntimeError, ValueError) as error:  # RDKit's own checks, whose first line tells most
        return f"RDKit cannot read it: {str(error).strip().splitlines()[0]}"


def _syntax_fault(smiles: str) -> tuple[int, str] | None:  # noqa: C901, PLR0911, PLR0912 (rules in order)
    """Find the first place where the pieces are in no order that SMILES allows."""
    branches: list[tuple[int, int]] = []  # of each open '(': its position and the atom that it hangs on
    rings: dict[str, tuple[int, int]] = {}  # of each open ring closure: its position and its atom
    joined: set[frozenset[int]] = set()  # pairs of atoms that have a bond
    before = "start"  # what the piece before was: start, atom, bond, open, close, ring or dot
    position, atom, previous = 0, -1, -1  # in the text; the last atom, and the one that the next bond starts from
    inside = False  # whether the molecule or branch that is open has an atom
    pieces = _with_ring_numbers(PIECES.findall(smiles))
    for piece in pieces:
        if piece in _ATOMS or piece[0] == "[":
            if piece[0] == "[" and Chem.MolFromSmiles(piece, sanitize=False) is None:
                return position, f"no atom is written {piece}"
            atom += 1
            joined.add(frozenset((previous, atom)))
            previous, before, inside = atom, "atom", True
        elif piece in _BONDS:
            if before in {"start", "dot"}:
                return position, f"bond '{piece}' without an atom before it"
            if before == "bond":
                return position, f"bond '{piece}' directly after another bond"
            before = "bond"
        elif piece == "(":
            if before in {"start", "dot", "open", "bond"}:
                return position, "'(' without an atom before it"
            branches.append((position, previous))
            before, inside = "open", False
        elif piece == ")":
            if not branches:
                return position, "')' without '('"
            if before == "open":
                return position, "empty branch '()'"
            if before in {"bond", "dot"}:
                return position - 1, f"{before} without an atom after it"
            previous = branches.pop()[1]
            before, inside = "close", True
        elif piece == ".":
            if before in {"start", "dot", "bond", "open"}:
                return position, "'.' without an atom before it"
            previous, before, inside = -1, "dot", False
        elif piece[0].isdigit() or piece[0] == "%":
            if not inside:
                return position, f"ring closure {piece} without an atom before it"
            label = piece.strip("%()").lstrip("0") or "0"
            before = "ring"
            if label not in rings:
                rings[label] = (position, previous)
            elif len(bond := frozenset((rings.pop(label)[1], previous))) < 2:
                return position, f"ring closure {piece} joins an atom to itself"
            elif bond in joined:
                return position, f"ring closure {piece} joins two atoms that have a bond already"
            else:
                joined.add(bond)
        elif ">" in piece:
            return position, "this is a reaction, and one molecule is expected"
        position += len(piece)
    unfinished = [(place, "'(' is never closed") for place, _ in branches]
    unfinished += [(place, f"ring closure {label} is never closed") for label, (place, _) in rings.items()]
    if before in {"bond", "dot"}:
        unfinished.append((position - 1, f"it ends with '{pieces[-1]}', and an atom is expected after that"))
    return min(unfinished, default=None)


def _with_ring_numbers(pieces: list[str]) -> list[str]:
    """Join the pieces of ``%(123)`` to one, so that its parentheses are no branch."""
    joined: list[str] = []
    for piece in pieces:
        if joined and joined[-1].startswith("%(") and not joined[-1].endswith(")"):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _chemistry_fault(molecule: Any, smiles: str) -> str:
    problems = list(Chem.DetectChemistryProblems(molecule))
    if not problems:  # some valences only become impossible on the way
        try:
            Chem.SanitizeMol(molecule)
        except Chem.MolSanitizeException as error:
            problems = [cast("Any", error).cause]
        else:
            return "RDKit refuses it without a reason"
    problem, kind = problems[0], problems[0].GetType()
    more = f" (and {len(problems) - 1} more such atoms)" if len(problems) > 1 else ""
    if kind == "KekulizeException":
        indices = list(problem.GetAtomIndices())
        shown = ", ".join(map(str, indices[:12])) + (", ..." if len(indices) > 12 else "")
        return (
            "impossible aromatic ring: no arrangement of double bonds for atoms "
            f"{shown} from position {_position_of_atom(smiles, min(indices))}; is a [nH] missing?"
        )
    atom = molecule.GetAtomWithIdx(problem.GetAtomIdx())
    where = f"atom {atom.GetIdx()} ({atom.GetSymbol()} at position {_position_of_atom(smiles, atom.GetIdx())})"
    if kind == "AtomValenceException":
        bonds = re.search(r", (\d+), is greater", problem.Message())
        return f"impossible valence: {where} has {bonds[1] if bonds else 'too many'} bonds{more}"
    if kind == "AtomKekulizeException":
        return f"aromatic atom outside of a ring: {where}{more}"
    return f"{where}: {problem.Message()}{more}"


def _position_of_atom(smiles: str, index: int) -> int:
    """Where the atom with this index is written: RDKit numbers atoms in the order of the text."""
    position = seen = 0
    for piece in PIECES.findall(smiles):
        if piece in _ATOMS or piece[0] == "[":
            if seen == index:
                return position
            seen += 1
        position += len(piece)
    return position
