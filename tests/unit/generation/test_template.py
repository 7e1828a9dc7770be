"""Templates: what is masked, and what is refused in one sentence."""

from __future__ import annotations

import re

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.generation.template import Template, matching_atoms
from exlm_chem.tokenizer import ExLMTokenizer

TOKENIZER = ExLMTokenizer()
SELFIES = ExLMTokenizer("selfies")


@pytest.mark.parametrize(
    ("text", "atoms", "masked"),
    [
        ("CC(=O)Oc1ccccc1", [3], "CC(=O)[MASK]c1ccccc1"),
        ("CC(=O)Oc1ccccc1", [1, 2, 3], "C[MASK](=[MASK])[MASK]c1ccccc1"),
        ("C[13C@H](Cl)O", [1], "C[MASK](Cl)O"),  # a rare atom of several tokens is one mask
        ("[13CH3][13CH3]", [0, 1], "[MASK][MASK]"),
        ("[H]OC", [2], "[H]O[MASK]"),
    ],
)
def test_atoms_are_masked(text: str, atoms: list[int], masked: str) -> None:
    template = Template.of_molecule(text, atoms, TOKENIZER)
    assert str(template) == masked
    assert Template.of_text(masked, TOKENIZER) == template


def test_atoms_that_match() -> None:
    assert matching_atoms("[H]OCCO", "[OX2]") == [1, 4]


@pytest.mark.parametrize(
    ("text", "masks", "span"),
    [
        ("C[MASK]O", (1, 3), ["C[MASK]O", "C[MASK][MASK]O", "C[MASK][MASK][MASK]O"]),
        ("C[MASK](=[MASK])[MASK]C", (2, 2), ["C[MASK][MASK]C"]),
    ],
)
def test_spans(text: str, masks: tuple[int, int], span: list[str]) -> None:
    assert [str(one) for one in Template.of_text(text, TOKENIZER).spans(*masks)] == span


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CC?[MASK]C", "Not SMILES at position 2: unknown character '?' in"),
        ("C[MASK]C[MASK]q", "Not SMILES at position 14: 'q' outside of brackets"),
        ("CCO", "no mask: there is none in 'CCO'"),
        ("[MASK]C c1ccccc1", "blank at position 7"),
    ],
)
def test_bad_texts(text: str, message: str) -> None:
    with pytest.raises(ExLMError, match=message.replace("?", r"\?")):
        Template.of_text(text, TOKENIZER)


def test_bad_atoms_and_patterns() -> None:
    with pytest.raises(ExLMError, match="'CCO' has no atom 3, but 0 to 2"):
        Template.of_molecule("CCO", [3], TOKENIZER)
    with pytest.raises(ExLMError, match="ring closure 1 is never closed"):
        Template.of_molecule("C1CC", [0], TOKENIZER)
    with pytest.raises(ExLMError, match="nothing matches the SMARTS: 'N' is not in 'CCO'"):
        matching_atoms("CCO", "N")
    with pytest.raises(ExLMError, match="no SMARTS"):
        matching_atoms("CCO", "C(")
    with pytest.raises(ExLMError, match="atoms between the masks"):
        Template.of_text("C[MASK]C[MASK]", TOKENIZER).spans(1, 2)


@pytest.mark.parametrize(
    ("text", "atoms", "masked"),
    [
        ("CC(=O)Nc1ccccc1", [3], "[C][C][=Branch1][C][=O][MASK][C][=C][C][=C][C][=C][Ring1][=Branch1]"),
        ("CC(=O)N", [1, 2], "[C][MASK][=Branch1][C][MASK][N]"),  # what steers a branch is no atom
        ("C[13CH2]O.Cl", [1, 3], "[C][MASK][O].[MASK]"),
    ],
)
def test_atoms_of_selfies_are_masked(text: str, atoms: list[int], masked: str) -> None:
    template = Template.of_molecule(text, atoms, SELFIES)
    assert str(template) == masked
    assert template == Template.of_text(masked, SELFIES)
    assert template.changed_atoms(["[C]"] * len(atoms)) == atoms


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("C[MASK]", "this model reads SELFIES, and 'C[MASK]' is none; write [C][MASK][O]"),
        ("[C][MASK][Xyz]", "is not SELFIES: invalid symbol '[Xyz]'"),
        ("[C][C]", "no mask: there is none in"),
    ],
)
def test_bad_selfies(text: str, message: str) -> None:
    with pytest.raises(ExLMError, match=re.escape(message)):
        Template.of_text(text, SELFIES)


def test_spans_of_selfies() -> None:
    template = Template.of_text("[C][MASK][O]", SELFIES)
    assert [str(one) for one in template.spans(1, 2)] == ["[C][MASK][O]", "[C][MASK][MASK][O]"]
    with pytest.raises(ExLMError, match="there are symbols between the masks"):
        Template.of_text("[MASK][Branch1][C][MASK][O]", SELFIES).spans(1, 2)
