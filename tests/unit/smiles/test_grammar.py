"""The tokens of SMILES: which there are, and where a string stops being SMILES."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.grammar import (
    BRACKET_GLYPHS,
    ELEMENTS,
    FREQUENT_BRACKET_ATOMS,
    PROVISIONAL_ELEMENTS,
    SINGLE_TOKENS,
    SmilesSyntaxError,
    split_tokens,
)

DATA = Path(__file__).parents[2] / "data"
EXAMPLES = [
    line.split(" ")[0]
    for name in ("opensmiles.smi", "rdkit.smi")
    for line in (DATA / name).read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
KNOWN = {*SINGLE_TOKENS, *BRACKET_GLYPHS}


def test_there_are_enough_examples() -> None:
    assert len(EXAMPLES) == len(set(EXAMPLES)) >= 180


@pytest.mark.parametrize("smiles", EXAMPLES)
def test_tokens_join_to_the_string_and_are_known(smiles: str) -> None:
    tokens = split_tokens(smiles)
    assert "".join(tokens) == smiles
    assert set(tokens) <= KNOWN


@pytest.mark.parametrize(
    ("smiles", "tokens"),
    [
        ("Sc1", "S c 1"),
        ("[Sc]", "[ Sc ]"),
        ("Cn", "C n"),
        ("[Cn]", "[ Cn ]"),
        ("ClC", "Cl C"),
        ("[nH]", "[nH]"),
        ("[15nH]", "[ 1 5 n H ]"),
        ("[OH3+]", "[ O H 3 + ]"),
        ("[CoH2]", "[ Co H 2 ]"),
        ("[Hs]", "[ Hs ]"),
        ("[HH]", "[ H H ]"),
        ("[asH]", "[ as H ]"),
        ("[C@TH1H]", "[ C @TH 1 H ]"),
        ("[Co@OH12-3]", "[ Co @OH 1 2 - 3 ]"),
        ("[Fe+++]", "[ Fe + + + ]"),
        ("[NH4+:005]", "[ N H 4 + : 0 0 5 ]"),
        ("[Uuo]", "[ Uuo ]"),
        ("['Rf']", "[ ' Rf ' ]"),
        ("C%100", "C %10 0"),
        ("C%(100)C", "C %( 1 0 0 ) C"),
        ("N->C", "N -> C"),
        ("C<-N", "C <- N"),
        ("C>>C", "C >> C"),
        ("C>N>C", "C > N > C"),
        ("C->>N", "C -> > N"),
        (r"F/C=C\F", r"F / C = C \ F"),
    ],
)
def test_the_longest_token_wins(smiles: str, tokens: str) -> None:
    assert split_tokens(smiles) == tokens.split(" ")


def test_an_empty_string_has_no_tokens() -> None:
    assert split_tokens("") == []


def test_all_elements_have_a_token() -> None:
    assert len(ELEMENTS) == len(set(ELEMENTS)) == 118
    for element in (*ELEMENTS, *PROVISIONAL_ELEMENTS):
        assert split_tokens(f"[999{element}H+]") == ["[", "9", "9", "9", element, "H", "+", "]"]


def test_elements_are_those_of_rdkit() -> None:
    from rdkit import Chem

    table = Chem.GetPeriodicTable()
    assert tuple(table.GetElementSymbol(number) for number in range(1, 119)) == ELEMENTS


def test_frequent_bracket_atoms_are_single_tokens() -> None:
    assert len(set(FREQUENT_BRACKET_ATOMS)) == len(FREQUENT_BRACKET_ATOMS)
    for atom in FREQUENT_BRACKET_ATOMS:
        assert split_tokens(atom) == [atom]


@pytest.mark.parametrize(
    ("smiles", "position", "reason"),
    [
        ("CC?C", 2, "unknown character '?'"),
        ("CCé", 2, "unknown character 'é'"),
        ("C²", 1, "unknown character '²'"),
        ("C٣CC٣", 1, "unknown character '٣'"),  # a digit of another script
        ("CC ", 2, "blank ' '"),
        (" CC", 0, "blank ' '"),
        ("C\nC", 1, "blank '\\n'"),
        ("C[C H3]C", 3, "blank ' ' inside of brackets"),
        ("CU", 1, "'U' outside of brackets"),
        ("C+", 1, "'+' outside of brackets"),
        ("C@C", 1, "'@' outside of brackets"),
        ("Clx", 2, "'x' outside of brackets"),
        ("se1cccc1", 1, "'e' outside of brackets"),
        ("CC[NH3+", 2, "'[' that is never closed"),
        ("[C[N]", 0, "'[' that is never closed"),
        ("CN]C", 2, "']' without '['"),
        ("C%1C", 1, "'%' without two digits or a number in parentheses after it"),
        ("CC<N", 2, "'<' without '-' after it"),
        ("C[Xy]", 2, "no element at 'X' inside of brackets"),
        ("[C@@TH1]", 4, "no element at 'T' inside of brackets"),  # a class is written after one @
        ("[13Dy][D]", 7, "no element at 'D' inside of brackets"),
        ("O[C&]", 3, "unknown character '&' inside of brackets"),
        ("[13C](C)(C)[Q]", 12, "no element at 'Q' inside of brackets"),
    ],
)
def test_an_error_has_a_position_and_a_reason(smiles: str, position: int, reason: str) -> None:
    with pytest.raises(SmilesSyntaxError) as info:
        split_tokens(smiles)
    error = info.value
    assert (error.smiles, error.position, error.reason) == (smiles, position, reason)
    assert str(error) == f"Not SMILES at position {position}: {reason} in {smiles!r}."
    assert isinstance(error, ValueError)
    assert isinstance(error, ExLMError)


def test_a_long_string_is_quoted_around_the_error() -> None:
    with pytest.raises(SmilesSyntaxError) as info:
        split_tokens("C" * 500 + "?" + "N" * 500)
    assert str(info.value).endswith(f"in ...'{'C' * 30}?{'N' * 30}'....")


def test_an_error_survives_pickling() -> None:
    with pytest.raises(SmilesSyntaxError) as info:
        split_tokens("CC?")
    copy = pickle.loads(pickle.dumps(info.value))  # noqa: S301  (made one line above)
    assert str(copy) == str(info.value)
    assert copy.position == 2
