"""SELFIES: the way there and back, and its tokens for the tokenizer scheme of that name.

SELFIES is itself a sequence of symbols in brackets. Those that steer it (branches and rings) and the frequent atoms are
one token each; a rare atom is spelled in glyphs, so the vocabulary is closed here too.

References
----------
Krenn et al., SELFIES and the future of molecular string representations, Patterns 3 (2022) 100588.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from typing import Final

from exlm_chem.errors import quoted
from exlm_chem.smiles.cells import only_smiles
from exlm_chem.smiles.errors import MoleculeError, first_line
from exlm_chem.smiles.grammar import ELEMENTS, split_tokens

GLYPHS: Final = (*r". [ ] = # / \ @ @@ + -".split(), *"0123456789", *ELEMENTS)
"""What a symbol of a rare atom is spelled with, and the dot between molecules."""

STEERING_SYMBOLS: Final = (
    *(f"[{bond}{kind}{size}]" for kind, size, bond in product(("Branch", "Ring"), (1, 2, 3), ("", "=", "#"))),
    *(f"[{bonds}Ring{size}]" for size in (1, 2, 3) for bonds in r"-/ -\ /- \- // \\ /\ \/".split()),
)
"""All symbols that are no atoms. The size is the number of index symbols that follow."""

FREQUENT_ATOMS: Final = tuple(
    r"""
    [C] [=C] [N] [O] [=O] [=N] [S] [F] [C@H1] [C@@H1] [Cl] [#C] [P] [NH1] [/C] [O-1] [Br] [N+1] [#N] [C@] [C@@] [=S]
    [\C] [NH2+1] [NH1+1] [=N+1] [I] [/N] [SiH2] [Si] [Se] [Na+1] [NH3+1] [\O] [\N] [Cl-1] [/O] [N-1] [B] [C-1]
    [/C@@H1] [SH0] [PH1] [=P] [=NH1+1] [/C@H1] [S+1] [NH0] [Br-1] [\S] [I-1] [OH0] [CH0] [=N-1] [CH2] [H+1] [=NH2+1]
    [Cl+3] [SiH1] [Sn] [=O+1] [K+1] [S-1] [P+1] [O+1] [\C@@H1] [ClH0] [As] [\C@H1] [Hg] [#O+1] [#N+1] [CH1-1] [OH1+1]
    [/S] [AlH3] [Cu-3] [F-1] [CH3] [S@] [B-1] [/NH1+1] [Al] [=S+1] [O-2] [Ca+2] [NaH1] [OH1-1] [Li+1] [/Cl] [Sb]
    [=CH0] [BrH0] [Fe] [\Cl] [/C@@] [2H] [Co] [Cu+2] [/Br] [=Se] [Mg+2] [N@] [S@@] [/N+1] [/C@] [CH3-1] [Gd+3] [Na]
    [OH1] [\O-1] [NH4+1] [PH0] [FH0] [Pt] [NH2-1] [Pb] [Zn+2] [Bi] [Cr] [\N+1]
    """.split()
)
"""The atoms that are one token: those found 10 times or more in 100,000 molecules of a corpus of 22 public sources and
of MoleculeNet, the most frequent first."""

FREQUENT_SYMBOLS: Final = (*STEERING_SYMBOLS, *FREQUENT_ATOMS)

_PIECES = re.compile(r"\[[^\[\]]*\]|.", re.DOTALL)
_GLYPHS = re.compile("|".join(sorted((glyph for glyph in GLYPHS if len(glyph) > 1), key=len, reverse=True)) + "|.")
_IS_FREQUENT = frozenset(FREQUENT_SYMBOLS)
_ATOM_CLASS = re.compile(r":[0-9]+\]")


class SelfiesError(MoleculeError):
    """A molecule cannot be written as SELFIES, or a text is no SELFIES."""


def split_smiles(smiles: str) -> list[str]:
    """Translate a SMILES string into SELFIES and split that into tokens.

    Raises
    ------
    SmilesSyntaxError
        If the string is no SMILES.
    SelfiesError
        If it has something that SELFIES cannot say: ``*``, dative bonds, atom classes, stereo other than ``@`` and
        ``@@``, more bonds than the selfies package allows.

    Examples
    --------
    >>> split_smiles("CC(=O)[18OH]")
    ['[C]', '[C]', '[=Branch1]', '[C]', '[=O]', '[', '1', '8', 'O', 'H', '1', ']']
    """
    split_tokens(smiles)  # tells the position of what is no SMILES at all
    if _ATOM_CLASS.search(smiles):
        raise SelfiesError("SELFIES cannot write this molecule: it has atom classes (as in [CH3:1])")
    return split_symbols(_encoded(smiles))


def split_symbols(text: str) -> list[str]:
    """Split a SELFIES string into tokens, which join to exactly that string.

    Examples
    --------
    >>> split_symbols("[C][=Og]")
    ['[C]', '[', '=', 'Og', ']']
    """
    tokens: list[str] = []
    for piece in _PIECES.findall(text):
        tokens += (piece,) if piece in _IS_FREQUENT else _GLYPHS.findall(piece)
    return tokens


def join_to_smiles(tokens: Iterable[str]) -> str:
    """Join tokens of SELFIES and translate them into SMILES.

    Raises
    ------
    SelfiesError
        If they are no SELFIES.

    Examples
    --------
    >>> join_to_smiles(["[C]", "[=O]"])
    'C=O'
    """
    return smiles_from_selfies("".join(tokens))


def smiles_from_selfies(text: str) -> str:
    """Translate SELFIES into a SMILES, which RDKit has not looked at.

    Raises
    ------
    SelfiesError
        If it is no SELFIES.

    Examples
    --------
    >>> smiles_from_selfies("[C][Xyz]")
    Traceback (most recent call last):
        ...
    exlm_chem.smiles.selfies.SelfiesError: '[C][Xyz]' is not SELFIES: invalid symbol '[Xyz]'
    """
    import selfies  # only this scheme needs it

    try:
        return str(selfies.decoder(text.strip()))
    except Exception as error:  # noqa: BLE001  (the package also raises whatever Python does on odd symbols)
        raise SelfiesError(f"{quoted(text)} is not SELFIES: {first_line(error)}") from None


def to_selfies(text: str) -> str:
    """Write a molecule as SELFIES, in the atom order of the text.

    Raises
    ------
    MoleculeError
        If the text is no molecule.
    SelfiesError
        If it is one that SELFIES has no words for (``*``, quadruple bonds).

    Examples
    --------
    >>> to_selfies("CCO")
    '[C][C][O]'
    """
    from exlm_chem.smiles.bounds import bounded  # here, because the tokenizer needs no RDKit
    from exlm_chem.smiles.steps import check

    smiles = only_smiles(text)
    bounded(check, smiles)
    return _encoded(smiles)


def from_selfies(text: str) -> str:
    """Give *the* text of the molecule of a SELFIES string.

    Raises
    ------
    SelfiesError
        If it is no SELFIES.
    MoleculeError
        If it is no molecule.

    Examples
    --------
    >>> from_selfies("[O][C][C]")
    'CCO'
    """
    from exlm_chem.smiles.bounds import bounded
    from exlm_chem.smiles.steps import read

    return str(bounded(read, only_smiles(smiles_from_selfies(text)), "none")[0])


def _encoded(smiles: str) -> str:
    import selfies

    try:
        return str(selfies.encoder(smiles))
    except Exception as error:  # noqa: BLE001  (EncoderError, and whatever Python raises for rings that cannot be)
        # the message is the molecule over many lines, and one line for each atom with too many bonds
        reasons = [
            line.strip().removeprefix("[").removesuffix("]") for line in str(error).splitlines() if "bond(s)" in line
        ]
        because = reasons[0] if reasons else "it has an atom or bond that SELFIES does not know"
        raise SelfiesError(f"SELFIES cannot write this molecule: {because}") from None
