"""Tables on a terminal, and without one."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np

from exlm_chem.cli.screen import _Screen, show_heading, show_table, show_text

LONG = "Probability that the molecule passes from the blood into the brain, told at length"


def test_plain_lines_are_never_broken(capsys: Any) -> None:
    show_table(("output", "n", "meaning"), [("bbbp", "5", LONG), ("[nH]\x1b[31m", "10", "x")], numbers=(1,))
    show_heading("Molecules")
    show_text(LONG * 3)
    assert capsys.readouterr().out.splitlines() == [
        "output         n  meaning",
        f"bbbp           5  {LONG}",
        "[nH]\\x1b[31m  10  x",
        "",
        "Molecules",
        LONG * 3,
    ]


def test_a_terminal_gets_lines_that_fit(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    show_table(("kind", "meaning"), [("classification", LONG)])
    lines = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= 60
    assert lines[1].startswith("classification  Probability")


def test_no_heading_where_there_is_none(capsys: Any) -> None:
    show_table(("", ""), [("rows", "300")])
    assert capsys.readouterr().out == "rows  300\n"


def test_numbers_that_do_not_fit_beside_each_other_stand_below_each_other(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    names = [f"assay{number}" for number in range(6)]
    screen = _Screen(["smiles", *names, "note", "error"], ())
    screen.write([["CCO", *np.linspace(0, 1, 6).tolist(), None, None], ["C1CC", *[None] * 7, "ring"]])
    screen.show()
    shown = capsys.readouterr().out.splitlines()
    assert [line.split() for line in shown if line][:3] == [["Row", "1"], ["smiles", "CCO"], ["assay0", "0"]]
    assert [line.split() for line in shown if line][-3:] == [["Row", "2"], ["smiles", "C1CC"], ["error", "ring"]]
