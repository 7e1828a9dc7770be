"""What the molecules of a table are."""

from __future__ import annotations

from exlm_chem.data_sets.molecule_profile import MoleculeCollector, MoleculeProfile


def profile(rows: list[tuple[str | None, str]]) -> MoleculeProfile:
    collector = MoleculeCollector()
    for line, (smiles, label) in enumerate(rows, 2):
        collector.add(smiles, line, [label])
    return collector.profile([(0, "y", ["n.d.", "-1"])])


def test_repeats_and_contradictions() -> None:
    rows = [("CCO", "1"), ("OCC", "1.0"), ("C(C)O", ""), ("CCN", "1"), ("NCC", "0"), ("CCC", "1"), ("CCC", "n.d.")]
    found = profile([(smiles, label) for smiles, label in rows])
    assert (found.readable, found.different, found.repeated, found.repeats) == (7, 3, 3, 4)
    assert found.contradictions == {"y": 1}


def test_limits_contradict_where_both_cannot_be_true() -> None:
    assert profile([("CCO", ">5"), ("OCC", "7"), ("CCO", "-1"), ("CCN", "<2"), ("NCC", "1,5")]).contradictions == {}
    assert profile([("CCO", ">5"), ("OCC", "3.1")]).contradictions == {"y": 1}
    assert profile([("CCO", "+"), ("OCC", "-")]).contradictions == {"y": 1}


def test_reasons_are_counted_by_their_kind() -> None:
    found = profile([("CN(C)(C)C", ""), ("C1CC", ""), ("CC(C", ""), ("CCO", ""), ("", ""), (None, "")])
    assert {kind: reason.rows for kind, reason in found.unreadable.items()} == {
        "not SMILES": 2,
        "no SMILES in this row": 2,
        "impossible valence": 1,
    }
    assert found.unreadable["not SMILES"].line == 3
    assert found.unreadable["not SMILES"].example == "not SMILES at position 1: ring closure 1 is never closed"


def test_a_row_that_is_wrong_as_a_row_has_no_molecule() -> None:
    collector = MoleculeCollector()
    assert not collector.add("CCO", 2, [], "wrong number of cells: 4 in line 2, 3 in the header")
    assert collector.profile([]).unreadable["wrong number of cells"].rows == 1


def test_sizes_elements_salts_charges() -> None:
    found = profile([("CC(=O)[O-].[Na+]", ""), ("C[NH3+]", ""), ("[2H]C", ""), ("C/C=C/C", ""), ("[Fe]", "")])
    assert (found.several_parts, found.charged, found.isotopes, found.stereo) == (1, 1, 1, 1)
    assert found.elements["C"] == 4
    assert found.unusual_elements == ["Fe"]
    assert found.sizes is not None
    assert (found.sizes.smallest, found.sizes.largest, found.sizes.largest_line) == (1, 5, 2)


def test_scaffolds() -> None:
    found = profile([("c1ccccc1C", ""), ("c1ccccc1CC", ""), ("CCO", ""), ("C1CCCCC1N", "")]).scaffolds
    assert found is not None
    assert (found.molecules, found.different, found.single) == (4, 3, 2)
    assert (found.largest, found.largest_share, found.without_rings) == ("c1ccccc1", 0.5, 0.25)


def test_nothing_that_can_be_read() -> None:
    found = profile([("x", "")])
    assert (found.readable, found.sizes, found.scaffolds, found.elements) == (0, None, None, {})


def test_what_was_noted_is_counted() -> None:
    assert profile([("[CH3:1]O", ""), ("CCO ethanol", "")]).notes == {
        "atom map numbers were cleared": 1,
        "text after the SMILES was left aside": 1,
    }
