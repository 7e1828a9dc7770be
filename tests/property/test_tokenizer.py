"""What holds for every string: known tokens that join to it, or an error; and for whatever RDKit reads and writes.

``EXLM_CHEM_EXAMPLES=100000`` tries that many strings instead of the usual number.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from exlm_chem.smiles.grammar import BRACKET_GLYPHS, PIECES, SINGLE_TOKENS, SmilesSyntaxError, split_tokens
from exlm_chem.tokenizer import ExLMTokenizer
from tests.smiles_strategy import bracket_atoms, smiles

KNOWN = frozenset((*SINGLE_TOKENS, *BRACKET_GLYPHS))
TOKENIZER = ExLMTokenizer()
COUNT = int(os.environ.get("EXLM_CHEM_EXAMPLES", "500"))
thorough = settings(max_examples=COUNT, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# bracket atoms from random pieces, most of them nonsense, some of them accepted by RDKit
_pieces = st.sampled_from([*BRACKET_GLYPHS, "'Hs'", "#6", "@TB12", "+2", "--", ":12", "D", "T", "R1", "&", "?", "!"])
wild_bracket_atoms = st.lists(_pieces, max_size=5).map(lambda pieces: "[" + "".join(pieces) + "]")
ascii_text = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=3)


@thorough
@given(smiles)
def test_every_smiles_comes_back_unchanged(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.unk_id not in ids
    assert TOKENIZER.decode(ids) == text


@thorough
@given(st.text())
def test_any_text_is_split_or_refused_at_the_right_place(text: str) -> None:
    bad = None
    try:
        tokens = split_tokens(text)
    except SmilesSyntaxError as error:
        bad, tokens = error.position, split_tokens(text[: _start_of_bracket(text, error.position)])
    assert text.startswith("".join(tokens))
    assert ("".join(tokens) == text) == (bad is None)
    assert bad is None or 0 <= bad < len(text)
    assert set(tokens) <= KNOWN


@thorough
@given(smiles, st.integers(0, 10**6), ascii_text)
def test_whatever_rdkit_reads_or_writes_has_tokens(text: str, place: int, typo: str) -> None:
    place %= len(text) + 1
    _assert_rdkit_agrees(text[:place] + typo + text[place:])


@thorough
@given(wild_bracket_atoms | bracket_atoms)
def test_whatever_bracket_atom_rdkit_reads_or_writes_has_tokens(text: str) -> None:
    _assert_rdkit_agrees(text)


@given(smiles)
def test_the_cut_into_pieces_loses_nothing(text: str) -> None:
    assert "".join(PIECES.findall(text)) == text


def _start_of_bracket(text: str, position: int) -> int:
    """Step back to the bracket that holds a position, since a bracket cut open is no SMILES either."""
    start = text.rfind("[", 0, position)
    return start if start > text.rfind("]", 0, position) else position


def _assert_rdkit_agrees(text: str) -> None:
    if "@'" in text:
        return  # RDKit's reader takes [C@'TH1], surely by mistake; nobody writes it
    parameters = Chem.SmilesParserParams()
    parameters.sanitize = False
    parameters.removeHs = False
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(text, parameters)
    if molecule is None:
        return
    assert "".join(split_tokens(text)) == text
    # RDKit cannot write atoms beyond the last element, which it reads as [#119]
    if all(atom.GetAtomicNum() <= 118 for atom in molecule.GetAtoms()):
        written = Chem.MolToSmiles(molecule)
        assert TOKENIZER.decode(TOKENIZER.encode(written)) == written
