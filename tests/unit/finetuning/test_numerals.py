"""Numbers as they stand in tables."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exlm_chem.finetuning.numerals import LARGEST, SMALLEST, Numeral, read_numerals


def values(*spellings):
    return [one.value for one in read_numerals(spellings).read.values()]


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("1", 1), ("-1.5", -1.5), ("+.5", 0.5), ("5.", 5), ("1e-9", 1e-9), ("1.5E+3", 1500), ("007", 7),
        ("\u22120.3", -0.3), ("\u20130.3", -0.3), ("1e\u22129", 1e-9), ("\uff0d2", -2),
        ("1,234.5", 1234.5), ("1,234,567", 1234567), ("1.234,5", 1234.5), ("1.234.567", 1234567),
        ("0,123", 0.123), ("1234,567", 1234.567), ("1\u00a0234,5", 1234.5), ("1 234", 1234), ("1'234.5", 1234.5),
    ],
)  # fmt: skip
def test_spellings_of_numbers(spelling, value):
    assert values(spelling) == [value]


@pytest.mark.parametrize(
    "spelling",
    ["", "12_5", "0x1F", "inf", "-inf", "Infinity", "nan", "1e", "e5", "5 mg", "1 2", "12 34", "1,2,3", "--1", "1-2",
     "+", "5%", "1/2", "\u0663", "\u00b2", "1.2.3", "5\u00b1x", "1e5.5", "3,", "1,,2", "(5)", "01,234.5"],
)  # fmt: skip
def test_what_is_no_number(spelling):
    numerals = read_numerals([spelling])
    if spelling == "3,":  # a decimal comma, as 3. is a number
        assert numerals.read == {"3,": Numeral(3.0)}
    else:
        assert (numerals.read, numerals.unclear, numerals.extreme) == ({}, [], [])


def test_commas_are_what_the_whole_column_makes_them():
    assert values("1,234", "0,5") == [1.234, 0.5]
    assert values("1,234", "0.5") == [1234, 0.5]
    assert values("1,234", "1,234,567") == [1234, 1234567]
    assert values("1.234", "0.5", "2.345") == [1.234, 0.5, 2.345]
    assert values("1.234", "1.234,5") == [1234, 1234.5]
    assert read_numerals(["1", "2,5"]).note == "'2,5' is read as 2.5"
    assert read_numerals(["1", "2.5"]).note == ""


@pytest.mark.parametrize("column", [["1,234"], ["1,234", "17"], ["0,5", "0.5"], ["0,5", "1.234"], ["1,234.5", "0,5"]])
def test_columns_that_can_be_read_in_two_ways(column):
    numerals = read_numerals(column)
    assert numerals.read == {text: Numeral(float(text)) for text in column if text.isdigit()}
    assert set(numerals.unclear) == {text for text in column if "," in text or "." in text}


@pytest.mark.parametrize(
    ("spelling", "numeral"),
    [
        (">30", Numeral(30, ">")), ("<= 0,5", Numeral(0.5, "<=")), ("\u226510", Numeral(10, "\u2265")),
        ("~5", Numeral(5, "~")), ("ca. 5", Numeral(5, "ca.")), ("<\u22121", Numeral(-1, "<")),
    ],
)  # fmt: skip
def test_limits(spelling, numeral):
    assert read_numerals([spelling]).read == {spelling: numeral}


@pytest.mark.parametrize(
    ("spelling", "mean"),
    [
        ("5.2 \u00b1 0.3", 5.2),
        ("5,2\u00a0\u00b1\u00a00,3", 5.2),
        ("-5+/-.1", -5.0),
        ("5 +- 1", 5.0),
        ("\u22125e-3 \u00b1 1e-3", -0.005),
    ],
)
def test_of_a_mean_with_a_spread_the_mean_is_read(spelling, mean):
    assert read_numerals([spelling]).read == {spelling: Numeral(mean, "\u00b1")}
    assert Numeral(mean, "\u00b1").bound == 0


@pytest.mark.parametrize(
    "spelling", ["\u00b11", "5 \u00b1", "3 \u00b1 1 \u00b1 1", ">5 \u00b1 1", "5 - 1", "5+3", "5 \u00b1 10 %"]
)
def test_what_looks_like_a_spread_and_is_none(spelling):
    assert not read_numerals([spelling]).read


def test_numbers_beyond_computation():
    assert read_numerals(["1e200", "1e-400", "0e-400", "1e37", "-2e37"]).extreme == ["1e200", "1e-400", "-2e37"]
    assert read_numerals(["0", "2e-40"]).extreme == ["0", "2e-40"]
    assert values("0", "0.0", "1e-40", "1") == [0, 0, 1e-40, 1]


@given(st.lists(st.floats(-LARGEST, LARGEST), min_size=1))
def test_every_float_comes_back(numbers):
    assume(not 0 < max(map(abs, numbers)) < SMALLEST)
    assert values(*dict.fromkeys(map(repr, numbers))) == list(map(float, dict.fromkeys(map(repr, numbers))))


@given(st.lists(st.decimals(-(10**6), 10**6, places=2), min_size=1))
def test_decimal_commas_come_back(numbers):
    written = list(dict.fromkeys(str(number).replace(".", ",") for number in numbers))
    assert values(*written) == [float(text.replace(",", ".")) for text in written]


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1), st.sampled_from([(",", "."), (".", ",")]))
def test_thousands_come_back(numbers, marks):
    swap = dict(zip(",.", marks, strict=True))
    written = {"".join(swap.get(c, c) for c in f"{number:,}"): float(number) for number in numbers}
    numerals = read_numerals(written)
    # A mark between thousands and a decimal mark in one column are never taken for each other.
    assert {text: one.value for text, one in numerals.read.items()} == written or set(numerals.unclear) <= set(written)
    if not numerals.unclear:
        assert {text: one.value for text, one in numerals.read.items()} == written


@given(st.text(max_size=12))
def test_a_text_is_a_number_only_if_its_digits_say_so(text):
    for spelling, one in read_numerals([text]).read.items():
        digits = [c for c in spelling if c.isdigit()]
        assert digits
        assert all(c in "0123456789" for c in digits)
        assert "_" not in spelling
        assert isinstance(one.value, float)
