"""The registry of tasks: what ships is complete, and a user's own file is read or refused with the place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.predictors.registry import read_tasks, registered_task, registered_tasks

MOLECULENET = "bbbp bace clintox tox21 toxcast sider hiv muv esol freesolv lipophilicity".split()
HERG = '[herg]\nkind = "classification"\n'
ASSAY = '[[herg.columns]]\ntarget = "blocks"\n'


def own(folder: Path, text: str) -> Path:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_all_of_moleculenet_is_there() -> None:
    assert list(registered_tasks()) == MOLECULENET


@pytest.mark.parametrize("name", MOLECULENET)
def test_a_task_that_ships_is_complete(name: str) -> None:
    task = registered_task(name)
    assert task.name == name
    assert task.title
    assert task.source.endswith("table of MoleculeNet")
    assert "for the table" in task.licence
    assert task.metric in (("roc_auc", "average_precision") if task.kind == "classification" else ("rmse",))
    assert task.table is not None
    assert task.table.address.startswith("https://deepchemdata.s3-us-west-1.amazonaws.com/datasets/")
    assert task.table.rows is not None
    assert task.table.molecules is not None
    assert 600 < task.table.molecules <= task.table.rows
    for column in task.columns or (task.every,):
        assert column is not None
        assert column.range is not None
        assert column.range[0] < column.range[1]
        assert (column.threshold == 0.5) == (task.kind == "classification")
        assert column.unit not in ("", "as measured")
        assert column.meaning.endswith((".", "'."))
        assert column.name == name or column.name.startswith(f"{name}_")


def test_names_of_outputs_are_unique() -> None:
    names = [column.name for task in registered_tasks().values() for column in task.columns]
    assert len(names) == len(set(names)) == 46 + 1 + 17
    assert "sider_neoplasms_benign_malignant_and_unspecified_incl_cysts_and_polyps" in names


def test_outputs_named_by_the_table() -> None:
    task = registered_task("toxcast")
    with pytest.raises(ExLMError, match="task 'toxcast' predicts every column of its table"):
        _ = task.targets
    named = task.for_table(["ACEA_T47D_80hr_Negative", "smiles", "TOX21_p53"], 1)
    assert named.targets == ["ACEA_T47D_80hr_Negative", "TOX21_p53"]
    assert named.columns[1].name == "toxcast_TOX21_p53"
    assert (
        named.columns[1].meaning == "Probability that the molecule is active in the ToxCast assay end point TOX21_p53."
    )
    assert named.for_table(["other"], 0) is named


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(ExLMError, match=r"no task 'bbb' \(is 'bbbp' meant\?\); the registered ones are bbbp, bace"):
        registered_task("bbb")


def test_own_task_in_four_lines(tmp_path: Path) -> None:
    task = registered_task(str(own(tmp_path, HERG + ASSAY)))
    assert (task.name, task.kind, task.targets) == ("herg", "classification", ["blocks"])
    column = task.columns[0]
    assert (column.name, column.unit, column.range, column.threshold) == ("herg", "probability", (0.0, 1.0), 0.5)
    assert column.meaning == "Probability that blocks is 1."


def test_own_task_with_all_that_may_be_said(tmp_path: Path) -> None:
    text = """
        [adme]
        kind = "regression"
        title = "Our panel"
        source = "measured in house"
        licence = "confidential"
        metric = "mae"
        columns = [{target = "logS", direction = "higher"}, {target = "Caco-2", unit = "1e-6 cm/s", range = [0, 100]}]
        [adme.every]
        name = "our_{slug}"
        unit = "log10"
        meaning = "Measured {target}."
    """
    task = read_tasks(own(tmp_path, text))["adme"]
    assert [column.name for column in task.columns] == ["our_logs", "our_caco_2"]
    assert [column.unit for column in task.columns] == ["log10", "1e-6 cm/s"]
    assert task.columns[1].range == (0.0, 100.0)
    assert task.columns[0].meaning == "Measured logS."
    assert task.columns[0].threshold is None


def test_one_of_several_tasks(tmp_path: Path) -> None:
    path = own(tmp_path, HERG + ASSAY + HERG.replace("herg", "ames") + ASSAY.replace("herg", "ames"))
    assert registered_task(f"{path}:ames").name == "ames"
    with pytest.raises(ExLMError, match=r"my.toml has 2 tasks, herg, ames; say which one: .*my.toml:herg"):
        registered_task(str(path))
    with pytest.raises(ExLMError, match=r"my.toml has no task 'amse' \(is 'ames' meant\?\); it has 2 tasks"):
        registered_task(f"{path}:amse")


def test_the_page_shows_tasks_that_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/tasks.md").read_text(encoding="utf-8")
    shown = [read_tasks(own(tmp_path, text)) for text in re.findall("```toml\n(.*?)```", page, re.DOTALL)]
    assert [list(tasks) for tasks in shown] == [["herg"], ["herg", "solubility"], ["panel"]]
    assert shown[0]["herg"].columns[0].threshold == 0.5
    assert [column.name for column in shown[2]["panel"].columns] == [f"panel_assay_{n}" for n in (1, 2, 3)]


WRONG = {
    "treshold": (HERG + ASSAY + "treshold = 0.3", r"herg.columns\[0\].treshold is no entry \(is 'threshold' meant\?\)"),
    "titel": (HERG + 'titel = "x"\n' + ASSAY, r"herg.titel is no entry \(is 'title' meant\?\)"),
    "no kind": ("[herg]\n" + ASSAY, "herg.kind must be classification or regression, not 'None'"),
    "no target": (HERG + "[[herg.columns]]\nname = 'x'", r"herg.columns\[0\] must name the column of its labels"),
    "no columns": (HERG + "columns = []", "herg.columns must have at least one entry"),
    "columns as table": (
        HERG + "[herg.columns]\ntarget = 'x'",
        r"herg.columns must be written as \[\[herg.columns\]\]",
    ),
    "every as text": (HERG + "every = 'x'", r"herg.every must be written as \[herg.every\]"),
    "threshold": (HERG + ASSAY + "threshold = 50", r"herg.columns\[0\].threshold must be between 0 and 1, not 50"),
    "threshold of a value": (
        HERG.replace("class", "regr").replace("regrification", "regression") + ASSAY + "threshold = 0.5",
        r"herg.columns\[0\].threshold: a regression has none",
    ),
    "range": (HERG + ASSAY + "range = [1, 0]", r"herg.columns\[0\].range must be the lowest and the highest number"),
    "half a range": (HERG + ASSAY + "range = [1]", r"herg.columns\[0\].range must be a list of 2, not of 1"),
    "direction": (HERG + ASSAY + "direction = 'up'", r"herg.columns\[0\].direction must be one of higher, lower, none"),
    "twice": (HERG + ASSAY + ASSAY, r"herg.columns\[0\] and columns\[1\] have the same name, 'herg_blocks'"),
    "no name": (HERG + ASSAY + "name = ' '", r"herg.columns\[0\].name is empty"),
    "md5": (HERG + ASSAY + "[herg.table]\naddress = 'https://x'\nmd5 = '1'", r"herg.table.md5 must be an md5 \(32"),
    "address": (HERG + ASSAY + "[herg.table]\naddress = 'here'", "herg.table.address must be an address that begins"),
    "entry of a table": (HERG + ASSAY + "[herg.table]\nurl = 'https://x'", "herg.table.url is no entry; there may be"),
    "name of a task": ('["a/b"]\nkind = "regression"', "'a/b' cannot be the name of a task"),
    "outside": ('kind = "regression"', r"'kind' stands outside of a task; a task begins with a line such as \[herg\]"),
    "no TOML": ("[herg\n", r"it is no TOML \(Expected ']' at the end of a table declaration \(at line 1, column 6\)\)"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_with_its_place(what: str, tmp_path: Path) -> None:
    text, message = WRONG[what]
    with pytest.raises(ExLMError, match=rf"my.toml: {message}.*; correct it$"):
        read_tasks(own(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ExLMError, match=r"nothing.toml cannot be read: no such file or directory"):
        registered_task(str(tmp_path / "nothing.toml"))
    (tmp_path / "my.toml").write_bytes(b"[\xff]")
    with pytest.raises(ExLMError, match=r"my.toml is no TOML: bytes that are no UTF-8 at position 1; correct it"):
        registered_task(str(tmp_path / "my.toml"))
    with pytest.raises(ExLMError, match=r"my.toml has no task; begin one with a line such as \[herg\]"):
        registered_task(str(own(tmp_path, "")))
