"""Tasks made from the columns of a table."""

from exlm_chem.predictors.task import task_of_targets


def test_task_from_columns():
    task = task_of_targets("mine", ["logS"], "regression")
    assert task.columns[0].threshold is None
    assert task.columns[0].range is None
    task = task_of_targets("mine", ["ames"], "classification", {"ames": "Mutagenic"})
    assert task.columns[0].meaning == "Probability that ames is Mutagenic."
