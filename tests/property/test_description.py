"""Any table can be described: every row and every cell is counted once, and the advice is a command that exists."""

from __future__ import annotations

import csv
import json
import shlex
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from exlm_chem.data_sets.description import describe
from exlm_chem.errors import ExLMError
from exlm_chem.storage import json_text

CELLS = st.one_of(
    st.sampled_from(
        ["", "NA", "-", "+", "0", "1", "1.0", "Active", "inactive", ">30", "1,5", "1e300", "train", "test"]
    ),
    st.floats().map(str),
    st.integers(-3, 3).map(str),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6),
)
SMILES = st.sampled_from(
    ["CCO", "OCC", "c1ccccc1", "C1CC", "", "CC(=O)[O-].[Na+]", "[2H]C", "x", "C[N+](C)(C)C", "[Fe]"]
)
NAMES = st.sampled_from(["y", "id", "split", "date", "series", "p_np", "Class", "smiles_2", "a b", "log\nS", "'"])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_table(data: st.DataObject) -> None:
    names = data.draw(st.lists(NAMES, max_size=4, unique=True))
    rows = data.draw(st.lists(st.tuples(SMILES, *(CELLS for _ in names)), min_size=1, max_size=25))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any table.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([["smiles", *names], *rows])
        try:
            found = describe(path)
        except ExLMError as error:
            assert "\n" not in str(error)  # noqa: PT017  (a refusal is one sentence)
            return
    assert found.molecules.readable + sum(reason.rows for reason in found.molecules.unreadable.values()) == found.rows
    assert all(column.known + column.missing == found.rows for column in found.columns)
    assert all(sum(column.classes.values()) in (0, column.known) for column in found.columns)
    assert json.loads(json_text(found.to_json()))["rows"] == found.rows
    for command in found.advice.commands:
        assert shlex.split(command)[:3] == ["exlm-chem", "finetune", str(path)]
