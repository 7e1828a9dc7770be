"""Which atom a symbol of SELFIES becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_DOT: Final = "."
"""Between molecules; it is no symbol that is counted."""


def atoms_of_symbols(tokens: Sequence[str]) -> list[int]:
    """Number the atoms of the molecule that SELFIES stand for, as `exlm_chem.smiles.token_atoms` does for SMILES.

    Parameters
    ----------
    tokens : sequence of str
        The tokens of a SELFIES string, rare atoms in several pieces.

    Returns
    -------
    list of int
        For each token the atom of the translated text that it becomes, or is part of; -1 for what steers branches and
        rings, counts for them, or is left out because all bonds are used up.

    Examples
    --------
    >>> atoms_of_symbols(["[C]", "[C]", "[=Branch1]", "[C]", "[=O]", "[", "1", "8", "O", "H", "1", "]"])
    [0, 1, -1, -1, 2, 3, 3, 3, 3, 3, 3, 3]
    >>> atoms_of_symbols(["[F]", "[C]", "[F]", "[C]"])
    [0, 1, 2, -1]
    """
    import selfies  # only models of this scheme need it

    _, origins = selfies.decoder("".join(tokens), attribute=True)
    atom_of: dict[int, int] = {}
    for origin in origins:
        if origin.token[-1].isalpha() or origin.token[-1] == "]":  # no bond
            atom_of[origin.attribution[-1].index] = len(atom_of)  # before it stand the branches that it is in
    atoms, symbol = [], -1
    for token in tokens:
        symbol += token.startswith("[")
        atoms.append(atom_of.get(symbol, -1) if token != _DOT else -1)
    return atoms
