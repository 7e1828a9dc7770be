"""The tokens of SELFIES, for the tokenizer scheme of that name.

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

from exlm_chem.errors import ExLMError
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


class SelfiesError(ExLMError, ValueError):
    """A molecule cannot be written as SELFIES."""


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
    import selfies  # only this scheme needs it

    split_tokens(smiles)  # tells the position of what is no SMILES at all
    if _ATOM_CLASS.search(smiles):
        raise SelfiesError("SELFIES cannot write this molecule: it has atom classes (as in [CH3:1])")
    try:
        text: str = selfies.encoder(smiles)
    except (selfies.EncoderError, IndexError, KeyError, ValueError) as error:  # the others for rings that cannot be
        # the message is the molecule over many lines, and one line for each atom with too many bonds
        reasons = [
            line.strip().removeprefix("[").removesuffix("]") for line in str(error).splitlines() if "bond(s)" in line
        ]
        because = reasons[0] if reasons else "it has an atom or bond that SELFIES does not know"
        raise SelfiesError(f"SELFIES cannot write this molecule: {because}") from None
    return split_symbols(text)


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

    Examples
    --------
    >>> join_to_smiles(["[C]", "[=O]"])
    'C=O'
    """
    import selfies

    return str(selfies.decoder("".join(tokens)))
