"""Schemes: the ways to cut a SMILES string into tokens and to join them again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from exlm_chem.smiles import grammar, selfies
from exlm_chem.terms import Scheme

_ATOMWISE_PIECES = re.compile(r"\[[^\]]+\]|Br|Cl|%[0-9]{2}|.", re.DOTALL)
_ATOMWISE_TOKENS = (
    *r"Br Cl N O S P F I B C b c n o s p ( ) . = # - + \ / : ~ @ ? > * $".split(),
    *(f"%{number:02d}" for number in range(100)),
    *"0123456789",
    *grammar.FREQUENT_BRACKET_ATOMS,
)


@dataclass(frozen=True)
class SchemeRules:
    """What makes a scheme: its tokens, how text is cut into them and joined again, and the cutting as one pattern."""

    tokens: tuple[str, ...]
    split: Callable[[str], list[str]]
    join: Callable[[Iterable[str]], str]
    pattern: Callable[[], str]


def _lossless_pattern() -> str:
    """Write :func:`split_tokens` as one pattern for the Rust library, whose engine has no second pass for glyphs."""
    bracket_only = [glyph for glyph in grammar.BRACKET_GLYPHS if glyph not in {*grammar.OUTSIDE_GLYPHS, "]"}]
    # "Sc" in brackets is scandium, outside it is S and c: inside is where the next bracket is a closing one
    return "|".join(
        [
            _one_of(grammar.FREQUENT_BRACKET_ATOMS),
            f"(?:{_one_of(bracket_only)})(?=[^\\[\\]]*\\])",
            _one_of(grammar.OUTSIDE_GLYPHS),
            r"\]",
        ]
    )


def _one_of(texts: Iterable[str]) -> str:
    """Write a pattern for any of some texts, the longest first; grouped by first characters, which is faster."""
    ordered = sorted(texts, key=lambda text: (text[0], -len(text)))
    return "|".join(
        f"{re.escape(first)}(?:{'|'.join(re.escape(text[1:]) for text in group)})"
        for first, group in groupby(ordered, key=lambda text: text[0])
    )


SCHEMES: Final[dict[Scheme, SchemeRules]] = {
    "lossless": SchemeRules(
        tokens=(*grammar.OUTSIDE_GLYPHS, *grammar.BRACKET_GLYPHS, *grammar.FREQUENT_BRACKET_ATOMS),
        split=grammar.split_tokens,
        join="".join,
        pattern=_lossless_pattern,
    ),
    "atomwise": SchemeRules(
        tokens=_ATOMWISE_TOKENS,
        split=_ATOMWISE_PIECES.findall,
        join="".join,
        pattern=lambda: _ATOMWISE_PIECES.pattern.removesuffix("|.") + r"|[\s\S]",
    ),
    "selfies": SchemeRules(
        tokens=(*selfies.GLYPHS, *selfies.FREQUENT_SYMBOLS),
        split=selfies.split_smiles,
        join=selfies.join_to_smiles,
        pattern=lambda: _one_of(selfies.FREQUENT_SYMBOLS) + "|" + _one_of(selfies.GLYPHS),
    ),
}
