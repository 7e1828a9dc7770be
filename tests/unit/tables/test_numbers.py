"""Cells as numbers."""

import math

import pytest

from exlm_chem.tables.numbers import is_missing, number_in


@pytest.mark.parametrize("cell", [None, "", " ", "NaN", "n/a", "None", "-", "?", float("nan")])
def test_missing(cell):
    assert is_missing(cell)
    assert math.isnan(number_in(cell))


@pytest.mark.parametrize(("cell", "number"), [("1e3", 1000), (2, 2), (True, 1), ("False", 0), (" -0.5 ", -0.5)])
def test_numbers(cell, number):
    assert number_in(cell) == number


@pytest.mark.parametrize("cell", ["a", ">30", "1,5", "inf", "1 2", "12_5"])
def test_others(cell):
    with pytest.raises(ValueError, match=r"float|finite|no number"):
        number_in(cell)
