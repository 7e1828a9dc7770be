"""What a card says of numbers."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exlm_chem.finetuning.card import MOST_COLUMNS, format_number, metrics_table
from exlm_chem.predictors.task import OutputColumn
from exlm_chem.predictors.task_file import PredictorTask


@given(st.floats(1e-30, 1e30), st.sampled_from([1, -1]))
def test_numbers_have_three_significant_digits(value, sign):
    text = format_number(sign * value)
    assert math.isclose(float(text), sign * value, rel_tol=0.0051)
    digits = text.lstrip("-").partition("e")[0].replace(".", "").lstrip("0")
    assert len(digits) == 3 or digits[3:].strip("0") == ""


def test_numbers_at_the_edges():
    assert [format_number(value) for value in (0.0, -0.0, 1.0, 0.9999, 99999.0, 0.000999, None)] == [
        "0", "0", "1.00", "1.00", "100000", "9.99e-04", "-",
    ]  # fmt: skip


def test_of_very_many_outputs_the_first_are_listed():
    names = [f"a{number}" for number in range(MOST_COLUMNS + 5)]
    columns = {name: {"known": 9, "roc_auc": 0.5} for name in names}
    test = {"columns": columns, "scored": len(names), "roc_auc": 0.5, "interval": [0.4, 0.6]}
    task = PredictorTask("many", "classification", tuple(OutputColumn(name, name) for name in names))
    table = metrics_table(replace(task, metrics={"test": test})).splitlines()
    assert table[2] == f"| test | mean of {len(names)} of {len(names)} | 0.500 | 0.400 to 0.600 | {9 * len(names)} |"
    assert table[-1] == f"| test | a{MOST_COLUMNS - 1} | 0.500 |  | 9 |"


def test_without_a_test_part_nothing_is_known():
    valid = {"columns": {"a": {"known": 9, "roc_auc": 0.5}}, "scored": 1, "roc_auc": 0.5, "interval": [0.4, 0.6]}
    task = PredictorTask("mine", "classification", (OutputColumn("a", "a"),), metrics={"valid": valid, "test": None})
    assert metrics_table(task).splitlines()[2:] == [
        "| valid | a | 0.500 | 0.400 to 0.600 | 9 |",
        "",
        "No molecules in test: how good it is on new ones is not known.",
    ]


@pytest.mark.parametrize(
    ("units", "mixed"),
    [
        (("mg/L", "mg/L"), False),
        (("mg/L", "hours"), True),
        (("as measured", "as measured"), True),
        (("hours",), False),
    ],
)
def test_a_mean_over_several_units_is_said_to_be_one(units, mixed):
    names = [f"a{number}" for number in range(len(units))]
    errors = {"rmse": 0.5, "mae": 0.4}
    test = {
        "columns": {name: {"known": 9, **errors} for name in names},
        "scored": len(names),
        "interval": None,
        **errors,
    }
    outputs = tuple(OutputColumn(name, name, unit) for name, unit in zip(names, units, strict=True))
    task = PredictorTask("mine", "regression", outputs, metrics={"valid": None, "test": test})
    assert ("several units" in metrics_table(task)) == mixed
    assert "several units" not in metrics_table(replace(task, metrics={}))
