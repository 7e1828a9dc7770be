"""The tokens of SMILES: what a string is made of, and where it stops being SMILES.

A token is one thing a chemist would point at: an atom, a bond, a branch, a ring closure. An atom in brackets is one
token if it is frequent (``[nH]``, ``[C@@H]``), and otherwise a sequence of *glyphs* (``[13C]`` is ``[ 1 3 C ]``). The
glyphs are a finite set that covers OpenSMILES and whatever RDKit reads and writes, so no valid SMILES has an unknown
token, and the tokens always join to the string they came from.

This is a tokenizer and no parser: it accepts every arrangement of known glyphs (``C(``, ``[]``) and leaves the question
whether they make a molecule to RDKit. What it never does is drop a character.

References
----------
OpenSMILES specification, http://opensmiles.org/opensmiles.html. The glyphs are those of smirk (Wadell et al., arXiv
2409.15370) with RDKit's extensions added.
"""

from __future__ import annotations

import re
from string import ascii_letters
from typing import Final

from exlm_chem.errors import ExLMError

ELEMENTS: Final = tuple(
    """
    H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo
    Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl
    Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
    """.split()
)
"""The symbols of all elements, by atomic number."""

PROVISIONAL_ELEMENTS: Final = tuple("Uun Uuu Uub Uut Uuq Uup Uuh Uus Uuo".split())
"""Names that elements 110 to 118 had before they got one; RDKit still reads them."""

OUTSIDE_GLYPHS: Final = (
    *"Br Cl B C N O P S F I b c n o p s *".split(),  # atoms that need no brackets
    *r"- = # $ : / \ ~ -> <-".split(),  # bonds; RDKit writes a dative bond as an arrow and any other as ~
    *". > >> ( )".split(),  # molecules apart, reactions, branches
    *"0123456789",  # ring closures
    *(f"%{number:02d}" for number in range(100)),
    "%(",  # opens a ring closure above 99, as in %(100); its digits and its ) are the ones above
)
"""Everything that stands outside of brackets."""

BRACKET_GLYPHS: Final = tuple(
    dict.fromkeys(  # each once, in this order
        (
            *"[ ]".split(),
            *ELEMENTS,
            *PROVISIONAL_ELEMENTS,
            *"b c n o p s se as te si *".split(),  # te and si are aromatic for RDKit only
            *"@ @@ @TH @AL @SP @TB @OH".split(),
            *"+ - : # '".split(),  # [#6] is carbon by its number; RDKit reads ['Rf'], the elements from 104 in quotes
            *"0123456789",  # isotope, hydrogens, charge, number of the stereo class, atom class
        )
    )
)
"""Everything that stands inside of brackets, the brackets too. What can stand in both places is the same token."""

FREQUENT_BRACKET_ATOMS: Final = tuple(
    """
    [C@H] [C@@H] [nH] [O-] [N+] [C@] [C@@] [NH+] [n+] [SiH2] [se] [Si] [Na+] [NH2+] [Cl-] [N-] [NH3+] [nH+] [O] [Br-]
    [S+] [I-] [C-] [CH2] [O+] [SiH] [Cl] [K+] [C] [Sn] [OH+] [c] [S] [PH] [Se] [Cl+3] [NaH] [2H] [O-2] [P+] [CH3] [N]
    [S-] [n-] [As] [Hg] [F] [CH] [B-] [F-] [Fe] [Li+] [OH-] [NH2] [NH] [S@] [n] [OH] [S@@] [SH+] [NH4+] [c-] [H] [B]
    [H+] [Br] [cH-] [3H] [Cu+2] [Zn+2] [CH-] [Al] [Ge] [SH] [Cu] [Mg+2] [Sb] [Co] [I] [Cr] [Ni] [s+] [Ca+2] [Te] [P-]
    [o+] [NH-] [Co-4] [CH2-] [Mo] [W] [V] [Pb] [Ba+2] [OH2] [Al+3] [Ni+2] [Cr+3] [Fe+2] [Zn] [Pt] [Bi] [Fe+3] [Cu-3]
    [18F] [PH+] [S-2] [CH3-] [I+] [Ni-2] [Mn] [Ti] [Cs+] [Ti+4] [Na] [Pt+2] [Pt-2] [Co+2] [Co+3] [P@] [Ag] [P@@] [Sr+2]
    [Pd-2] [Rb+] [AlH3] [Ru] [125I] [Mg] [Ag+] [11CH3] [Zr] [NH2-] [Mn+2] [SiH3] [Au] [U] [Zn-2] [P] [N@] [14cH] [Cd+2]
    [Cd] [Pd] [As+] [KH] [C+] [Pb+2] [Be] [N@@]
    """.split()
)
"""The bracket atoms that are one token: those found 45 times or more in 4.3 million molecules (a corpus of 22 public
sources, MoleculeNet, MOSES), the most frequent first. They are 99.8 % of all bracket atoms there."""

ATOMS: Final = frozenset(
    (*(glyph for glyph in OUTSIDE_GLYPHS if glyph[0].isalpha() or glyph == "*"), *FREQUENT_BRACKET_ATOMS)
)
"""The tokens that are whole atoms."""

SINGLE_TOKENS: Final = (*OUTSIDE_GLYPHS, *FREQUENT_BRACKET_ATOMS)
"""The tokens that :data:`PIECES` finds whole."""

PIECES: Final = re.compile(r"\[[^\[\]]*\]|Br|Cl|->|<-|>>|%[0-9]{2}|%\(|.", re.DOTALL)
"""Cuts a string into bracket atoms and outside glyphs. The final dot takes any other character, so ``findall`` drops
nothing, and a look-up in the vocabulary tells what is wrong: one pass, no second check."""

_GLYPHS = re.compile(
    "|".join(re.escape(glyph) for glyph in sorted(BRACKET_GLYPHS, key=len, reverse=True) if len(glyph) > 1) + "|.",
    re.DOTALL,
)
_IS_SINGLE = frozenset(SINGLE_TOKENS)
_IS_BRACKET_GLYPH = frozenset(BRACKET_GLYPHS)
_INCOMPLETE = {
    "[": "'[' that is never closed",
    "]": "']' without '['",
    "%": "'%' without two digits or a number in parentheses after it",
    "<": "'<' without '-' after it",
}


class SmilesSyntaxError(ExLMError, ValueError):
    """A string is no SMILES.

    Parameters
    ----------
    smiles
        The whole string.
    position
        Where it goes wrong, counted from 0.
    reason
        What is wrong there, in words that follow "at position 3: ".

    Examples
    --------
    >>> split_tokens("CC?C")
    Traceback (most recent call last):
        ...
    exlm_chem.smiles.grammar.SmilesSyntaxError: Not SMILES at position 2: unknown character '?' in 'CC?C'.
    """

    def __init__(self, smiles: str, position: int, reason: str) -> None:
        # all three go to the base class, because that is what copies and worker processes rebuild the error from
        super().__init__(smiles, position, reason)
        self.smiles = smiles
        self.position = position
        self.reason = reason

    def __str__(self) -> str:
        return f"Not SMILES at position {self.position}: {self.reason} in {_around(self.smiles, self.position)}."


def split_tokens(smiles: str) -> list[str]:
    """Split a SMILES string into its tokens, which join to exactly that string.

    Parameters
    ----------
    smiles
        A SMILES string or reaction SMILES, without blanks around it. It need not be a valid molecule.

    Returns
    -------
    list of str
        Frequent bracket atoms and everything outside of brackets as one token each, rare bracket atoms as glyphs.

    Raises
    ------
    SmilesSyntaxError
        If a character cannot be part of SMILES where it stands.

    Examples
    --------
    >>> split_tokens("C[C@@H](Cl)[13CH3]")
    ['C', '[C@@H]', '(', 'Cl', ')', '[', '1', '3', 'C', 'H', '3', ']']
    """
    pieces: list[str] = PIECES.findall(smiles)
    if _IS_SINGLE.issuperset(pieces):
        return pieces
    tokens: list[str] = []
    position = 0
    for piece in pieces:
        if piece in _IS_SINGLE:
            tokens.append(piece)
        elif len(piece) > 1:  # only bracket atoms are long and not known
            tokens += _split_bracket_atom(smiles, position, piece)
        else:
            raise SmilesSyntaxError(smiles, position, _reason_outside(piece))
        position += len(piece)
    return tokens


def _split_bracket_atom(smiles: str, start: int, atom: str) -> list[str]:
    glyphs: list[str] = _GLYPHS.findall(atom)
    if not _IS_BRACKET_GLYPH.issuperset(glyphs):
        bad = next(index for index, glyph in enumerate(glyphs) if glyph not in _IS_BRACKET_GLYPH)
        position = start + sum(map(len, glyphs[:bad]))
        raise SmilesSyntaxError(smiles, position, _reason_inside(glyphs[bad]))
    return glyphs


def _reason_outside(character: str) -> str:
    if character in _INCOMPLETE:
        return _INCOMPLETE[character]
    if character.isspace():
        return f"blank {character!r}"
    if character in _IS_BRACKET_GLYPH or character in ascii_letters:
        return f"{character!r} outside of brackets"
    return f"unknown character {character!r}"


def _reason_inside(character: str) -> str:
    if character.isspace():
        return f"blank {character!r} inside of brackets"
    if character in ascii_letters:
        return f"no element at {character!r} inside of brackets"
    return f"unknown character {character!r} inside of brackets"


def _around(smiles: str, position: int, width: int = 30) -> str:
    """Quote a string, only the part near the position if it is long."""
    start, end = max(0, position - width), position + width + 1
    left = "..." if start > 0 else ""
    right = "..." if end < len(smiles) else ""
    return left + repr(smiles[start:end]) + right
