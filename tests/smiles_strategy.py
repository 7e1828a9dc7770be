"""SMILES strings made from the OpenSMILES grammar, for property tests.

``python -m tests.smiles_strategy 1000`` prints so many as JSON, for ``benchmarks/tokenizer.py``.

The strings are right by the grammar, with closed branches and paired ring numbers; chemistry plays no part.
"""

from __future__ import annotations

import json
import sys

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exlm_chem.smiles.grammar import ELEMENTS, FREQUENT_BRACKET_ATOMS

ORGANIC = ("B", "C", "N", "O", "P", "S", "F", "Cl", "Br", "I", "b", "c", "n", "o", "p", "s", "*")
AROMATIC = ("b", "c", "n", "o", "p", "s", "se", "as", "te", "si")
STEREO = (
    *("@", "@@", "@TH1", "@TH2", "@AL1", "@AL2", "@SP1", "@SP2", "@SP3"),
    *(f"@TB{number}" for number in range(1, 21)),
    *(f"@OH{number}" for number in range(1, 31)),
)
CHARGES = ("+", "-", "++", "--", *(f"{sign}{number}" for sign in "+-" for number in range(16)))

_digits = st.text("0123456789", min_size=1, max_size=3)


def _or_nothing(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.just("") | texts


bracket_atoms: st.SearchStrategy[str] = st.builds(
    "[{}{}{}{}{}{}]".format,
    _or_nothing(_digits),
    st.sampled_from((*ELEMENTS, *AROMATIC, "*")),
    _or_nothing(st.sampled_from(STEREO)),
    _or_nothing(st.sampled_from(("H", "H0", "H1", "H2", "H3", "H4", "H9"))),
    _or_nothing(st.sampled_from(CHARGES)),
    _or_nothing(_digits.map(":{}".format)),
)
atoms = st.sampled_from(ORGANIC) | st.sampled_from(FREQUENT_BRACKET_ATOMS) | bracket_atoms
bonds = st.sampled_from(("", "", "", "-", "=", "#", "$", ":", "/", "\\", "~", "->", "<-"))
ring_numbers = st.one_of(
    st.sampled_from("0123456789"),
    st.integers(0, 99).map("%{:02d}".format),
    st.integers(0, 99999).map("%({})".format),
)


@st.composite
def molecules(draw: st.DrawFn, branch_depth: int = 3) -> str:
    """Draw one molecule: a chain of atoms with branches, then pairs of ring numbers and dots put into it."""
    parts: list[str] = []  # atoms at the places that `places` names, between them bonds and parentheses
    places: list[int] = []

    def chain(depth: int) -> None:
        for index in range(draw(st.integers(1, 5))):
            parts.append(draw(bonds | st.just(".")) if index else draw(bonds) if parts else "")
            places.append(len(parts))
            parts.append(draw(atoms))
            if depth and draw(st.integers(0, 3)) == 0:
                parts.append("(")
                chain(depth - 1)
                parts.append(")")

    chain(branch_depth)
    for _ in range(draw(st.integers(0, 3)) if len(places) > 1 else 0):
        number, bond = draw(ring_numbers), draw(bonds)
        start, end = draw(st.lists(st.sampled_from(places), min_size=2, max_size=2, unique=True))
        parts[start] += bond + number
        parts[end] += number
    return "".join(parts)


reactions: st.SearchStrategy[str] = st.builds("{}>{}>{}".format, *[_or_nothing(molecules(branch_depth=1))] * 3)

smiles: st.SearchStrategy[str] = st.one_of(molecules(), molecules(), molecules(), reactions)
"""Molecules, and some reactions."""


def examples(count: int) -> list[str]:
    """Make so many strings, the same ones every time."""
    made: list[str] = []

    @settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(smiles)
    def collect(text: str) -> None:
        made.append(text)

    collect()
    return made


if __name__ == "__main__":
    print(json.dumps(examples(int(sys.argv[1]))))  # noqa: T201
