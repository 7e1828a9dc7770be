"""What a column holds, judged by all its cells."""

from __future__ import annotations

import pytest

from exlm_chem.data_sets.column_profile import ColumnCollector, ColumnProfile


def profile(cells: list[str | None], most: int = 1000) -> ColumnProfile:
    column = ColumnCollector("y", most)
    for line, cell in enumerate(cells, 2):
        column.add(cell, line)
    return column.profile("assay.csv")


NUMBERS = [f"{number / 7:.2f}" for number in range(30)]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (NUMBERS, "number"),
        (["0,15", "1,5", "-2,25", "3"], "number"),
        (["1", "0", "1", "", "NA"], "class"),
        (["Active", "Inactive", "Active"], "class"),
        (["+", "-", "-", "+"], "class"),
        (["red", "green", "red"], "class"),  # two words, of which nobody knows the positive one
        (["red", "green", "blue"], "text"),
        (["c1ccccc1", "CCO", "CC(=O)O"], "molecules"),
        (["A1", "A1"], "constant"),
        (["1", "1"], "constant"),
        (["5.5", "5.5"], "constant"),
        (["", None, "n.d."], "empty"),
        ([], "empty"),
    ],
)
def test_kind(cells: list[str | None], kind: str) -> None:
    assert profile(cells).kind == kind


def test_classes_are_counted_as_they_are_written() -> None:
    found = profile(["Active", "Inactive", "Active", "", "n.d."])
    assert found.classes == {"Active": 2, "Inactive": 1}
    assert (found.known, found.missing, found.spelled_missing) == (3, 2, {"n.d.": 1})
    assert found.positive == ["Active"]
    assert found.is_label


def test_a_dash_beside_a_plus_is_a_class() -> None:
    found = profile(["+", "-", "-"])
    assert (found.classes, found.known, found.missing, found.distinct) == ({"+": 1, "-": 2}, 3, 0, 2)


def test_limits_are_counted() -> None:
    found = profile([*NUMBERS, ">100", ">100", "<0.5"]).numbers
    assert found is not None
    assert found.limits == {">100": 2, "<0.5": 1}


def test_numbers_and_what_is_far_from_them() -> None:
    found = profile([*NUMBERS, "1000"]).numbers
    assert found is not None
    assert (found.minimum, found.maximum) == (0.0, 1000.0)
    assert (found.outliers, found.far_out) == (1, [(1000.0, 32)])
    assert found.lower_quartile < found.median < found.upper_quartile


def test_what_cannot_be_learnt_is_said_with_the_remedy() -> None:
    found = profile([*NUMBERS, "30 mM", "30 mM"])
    assert (found.kind, found.is_label) == ("number", False)
    assert "column 'y': 2 of 32 labels are no plain number: '30 mM' (2 cells)" in found.problem
    assert profile([*NUMBERS, ">30", ">30"]).is_label  # limits can be learnt from
    assert profile(["red", "green", "red"]).problem.endswith("with --positive 'red' or --positive 'green'")


def test_a_count_of_the_rows_is_no_label() -> None:
    found = profile([str(number) for number in range(100, 200)])
    assert (found.kind, found.is_count, found.is_label, found.problem) == ("number", True, False, "")
    assert not profile(["3", "1", "2"] * 10).is_count


def test_memory_is_bounded() -> None:
    found = profile([f"{number}.5" for number in range(10_000, 0, -1)], most=1000)
    assert found.sampled >= 8
    assert 8_500 < found.distinct < 11_500
    assert found.known == 10_000
    assert found.numbers is not None
    assert 4_200 < found.numbers.median < 5_800  # of 625 numbers or more: four standard errors are 800
