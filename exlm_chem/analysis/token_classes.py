"""What kind of thing a token of a SMILES is."""

from __future__ import annotations

import re
from typing import Literal, get_args

TokenClass = Literal["ring digit", "branch", "stereo", "aromatic", "heteroatom", "carbon", "bond"]
"""Ring closures; brackets of branches; what says how a centre or a double bond is arranged; the rest by its atom."""

CLASSES: tuple[TokenClass, ...] = get_args(TokenClass)


def token_class(token: str) -> TokenClass:
    r"""Give the class of a token.

    Examples
    --------
    >>> [token_class(token) for token in ("1", "%12", "(", "[C@@H]", "/", "c", "[nH]", "Cl", "[O-]", "C", "=")]
    ['ring digit', 'ring digit', 'branch', 'stereo', 'stereo', 'aromatic', 'aromatic', 'heteroatom', 'heteroatom',
     'carbon', 'bond']
    """
    if token.isdigit() or token.startswith("%"):
        return "ring digit"
    if token in ("(", ")"):
        return "branch"
    if "@" in token or token in ("/", "\\"):
        return "stereo"
    atom = re.match(r"\[?\d*([A-Za-z][a-z]?)", token)
    if atom is None:
        return "bond"
    if atom[1][0].islower():
        return "aromatic"
    return "carbon" if atom[1] == "C" else "heteroatom"
