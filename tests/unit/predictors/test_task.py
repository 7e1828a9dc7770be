"""The registry of tasks, and tasks made from the columns of a table."""

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.predictors.task import registered_task, registered_tasks, task_of_targets


def test_every_registered_task_is_complete():
    for name, task in registered_tasks().items():
        assert task.name == name
        assert task.kind in ("classification", "regression")
        assert len(set(task.targets)) == len(task.columns) > 0
        assert len({column.name for column in task.columns}) == len(task.columns)
        for column in task.columns:
            assert (column.threshold == 0.5) == (task.kind == "classification")
            assert column.unit
            assert column.meaning.endswith(".")
            assert column.range[0] < column.range[1]
    assert len(registered_task("tox21").columns) == 12
    with pytest.raises(ExLMError, match="there is no task 'bpbp'; the registered ones are bbbp, bace"):
        registered_task("bpbp")


def test_a_file_that_is_no_registry(tmp_path):
    (tmp_path / "tasks.toml").write_text("[a]\nkind = 'regression'\n", encoding="utf-8")
    with pytest.raises(ExLMError, match=r"tasks.toml: a.title is missing; restore it from a copy"):
        registered_tasks(tmp_path / "tasks.toml")


def test_task_from_columns():
    task = task_of_targets("mine", ["logS"], "regression")
    assert task.columns[0].threshold is None
    assert task.columns[0].range is None
    task = task_of_targets("mine", ["ames"], "classification", {"ames": "Mutagenic"})
    assert task.columns[0].meaning == "Probability that ames is Mutagenic."
