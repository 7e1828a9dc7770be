"""Templates: what is masked, and what is refused in one sentence."""

from __future__ import annotations

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.generation.template import Template, matching_atoms
from exlm_chem.tokenizer import ExLMTokenizer

TOKENIZER = ExLMTokenizer()


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
    with pytest.raises(ExLMError, match="reads SELFIES"):
        Template.of_text("C[MASK]", ExLMTokenizer("selfies"))
