"""``exlm-chem fill`` and ``exlm-chem analyze graph``."""

import json

import pytest

from tests.cli.runner import run_here


def test_proposals_for_one_mask(monkeypatch, capsys):
    done = run_here(monkeypatch, capsys, "fill", "c1ccc([MASK])cc1", "-n", "3", "--json")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert done.status == 0
    assert [row["filled"] for row in rows] == ["Br", "Cl", "O"]
    assert {row["parent"] for row in rows} == {"c1ccc([MASK])cc1"}


def test_atoms_of_a_molecule(monkeypatch, capsys):
    args = ["fill", "CC(=O)Nc1ccc(O)cc1", *"--mask-atoms 1-3 --span 1-6 -n 4 --valid-only --temperature 1.2".split()]
    done = run_here(monkeypatch, capsys, *args)
    assert done.status == 0
    assert done.out.count("\n") == 5
    assert "1 row, 1 filled by 4 proposals, 4 of them valid" in done.err
    assert run_here(monkeypatch, capsys, *args).out == done.out


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        (["C1CC", "--mask-atoms", "0"], 0, "not SMILES at position 1: ring closure 1 is never closed"),
        (["C[MASK]", "--mask-atoms", "0"], 0, "masks and named atoms: 'C[MASK]' has [MASK]; leave out --mask-atoms"),
        (["C[MASK]!"], 0, "Not SMILES at position 7: unknown character '!'"),
        (["CCO", "--mask-atoms", "a"], 2, "takes numbers of atoms such as 5,6"),
        (["C[MASK]", "--span", "0-2"], 2, "--span takes from 1 to 20 masks"),
        (["C[MASK]", "--temperature", "0"], 2, "--temperature must be a number larger than 0"),
        (["C", "--smarts", "N("], 1, "--smarts 'N(' is no SMARTS that RDKit reads"),
        (["C[MASK]", "--model", "nowhere"], 1, "no model 'nowhere'"),
    ],
)
def test_what_is_wrong_is_told(args, status, message, monkeypatch, capsys):
    done = run_here(monkeypatch, capsys, "fill", *args)
    assert done.status == status
    assert " ".join(message.split()) in " ".join((done.out + done.err).replace("│", " ").split())


def test_graph(monkeypatch, capsys, tmp_path):
    done = run_here(monkeypatch, capsys, "analyze", "graph", "c1ccc([MASK])cc1", "-o", tmp_path / "graph.svg")
    assert done.out.split() == [str(tmp_path / "graph.svg"), str(tmp_path / "graph.json")]
    shown = run_here(monkeypatch, capsys, "analyze", "graph", "c1ccc([MASK])cc1", "--json")
    assert json.loads(shown.out) == json.loads((tmp_path / "graph.json").read_text())
    assert "best paths" in run_here(monkeypatch, capsys, "analyze", "graph", "C[MASK]").out
    assert run_here(monkeypatch, capsys, "analyze", "graph", "CC").err.startswith(
        "exlm-chem: no mask: there is none in 'CC'"
    )
