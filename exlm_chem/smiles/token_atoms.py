"""Which atom a token of SMILES belongs to."""

from __future__ import annotations

from collections.abc import Sequence


def atoms_of_tokens(tokens: Sequence[str]) -> list[int]:
    """Number the atoms of a text by its tokens.

    Parameters
    ----------
    tokens : sequence of str
        The tokens of a SMILES string, rare bracket atoms in several pieces; an empty one stands for a special token.

    Returns
    -------
    list of int
        For each token the atom that it is, or is part of, in the order of the text; -1 for all other tokens.

    Examples
    --------
    >>> atoms_of_tokens(["", "C", "(", "=", "O", ")", "[", "1", "3", "C", "]", "Cl", ""])
    [-1, 0, -1, -1, 1, -1, 2, 2, 2, 2, 2, 3, -1]
    """
    atoms, atom, inside = [], -1, False
    for token in tokens:
        begins = token.startswith("[") or (not inside and (token[:1].isalpha() or token[:1] == "*"))
        atom += begins
        atoms.append(atom if begins or inside else -1)
        inside = (inside or token.startswith("[")) and "]" not in token
    return atoms
