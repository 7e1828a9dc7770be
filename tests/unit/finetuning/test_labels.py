"""A column of labels: what it holds is decided by all its cells, or asked."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.labels import check_use, read_labels
from exlm_chem.finetuning.numerals import SMALLEST
from exlm_chem.finetuning.spellings import UNKNOWN, is_unknown
from exlm_chem.finetuning.words import FAMILIES, known_classes
from exlm_chem.smiles.cells import INVISIBLE

FIELD_CASES = Path(__file__).parents[2] / "data" / "field_cases"


def read(texts, **options):
    return read_labels("y", texts, range(2, len(texts) + 2), "a.csv", LabelOptions(**options))


def read_file(name, **options):
    with (FIELD_CASES / name).open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file, delimiter=";" if name.startswith("30") else ",")
    cells = [row[-1] for row in rows]
    return read_labels(header[-1], cells, range(2, len(cells) + 2), name, LabelOptions(**options)), cells


@pytest.mark.parametrize(
    ("name", "decided"),
    [
        ("30a_decimal_comma.csv", "taken as measurements; '1,05' is read as 1.05"),
        ("31_unicode_minus.csv", "taken as measurements"),
        ("32a_excel_na.csv", "taken as measurements; not known: '#N/A' (2 cells)"),
        ("34a_active_inactive.csv", "'Active' = 1, 'Inactive' = 0"),
        ("34d_plus_minus.csv", "'+' = 1, '-' = 0"),
        ("34e_one_or_dash.csv", "'1' = 1, '-' = 0"),
        ("37a_five_rows.csv", "taken as measurements"),
        ("37b_ten_rows.csv", "0 and 1 are taken as classes"),
        ("40_molar.csv", "taken as measurements"),
        ("51_integer_ic50.csv", "taken as measurements"),
    ],
)
def test_columns_of_real_files(name, decided):
    column, cells = read_file(name)
    assert column.decided == decided
    words = {"Active": 1.0, "Inactive": 0.0, "+": 1.0, "-": 0.0, "#N/A": math.nan}
    expected = [words.get(cell, cell) for cell in cells]
    expected = [float(c.replace(",", ".").replace("\u2212", "-")) if isinstance(c, str) else c for c in expected]
    np.testing.assert_array_equal(column.values, expected)


ASKED = {
    "35b_minus_one_missing.csv": (
        "column 'label': '-1' (8 cells) may stand for a label that is not known; if it does, add --unknown -1; if it "
        "is a measurement, add --kind regression"
    ),
    "43b_huge.csv": (
        "column 'k': 40 of 40 labels are too large or too small: '1e200' (1 cell), '2e200' (1 cell), '3e200' (1 cell), "
        "'4e200' (1 cell), '5e200' (1 cell) and 35 more, the first in line 2; use another unit, or the logarithm"
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_columns_of_real_files_that_are_asked_about(name):
    with pytest.raises(ExLMError) as refused:
        read_file(name)
    assert str(refused.value) == f"{name}: {ASKED[name]}"


def test_what_the_message_advises_helps():
    column, cells = read_file("35b_minus_one_missing.csv", unknown=("-1",))
    assert (column.kind, column.decided) == (
        "classification",
        "0 and 1 are taken as classes; not known: '-1' (8 cells)",
    )
    assert np.isnan(column.values).sum() == 8 == cells.count("-1")
    column, _ = read_file("35b_minus_one_missing.csv", kind="regression")
    assert column.values.min() == -1
    column, _ = read_file("36_qualifiers.csv", unknown=(">30", "<0.01"))
    assert np.isnan(column.values).sum() == 12
    assert read(["red", "Blue", "RED"], positive=("blue",)).values.tolist() == [0, 1, 0]
    assert read(["1", "2", "2"], positive=("2",)).values.tolist() == [0, 1, 1]


def test_limits_are_labels_with_a_side():
    column, _ = read_file("36_qualifiers.csv")
    assert column.kind == "regression"
    assert column.decided == (
        "taken as measurements from 0.01 to 30, where errors of large values decide; see --transform; "
        "limits, beyond which the truth lies: '>30' (7 cells), '<0.01' (5 cells)"
    )
    assert [int((column.bounds == bound).sum()) for bound in (1, -1, 0)] == [7, 5, 28]
    assert set(column.values[column.bounds == 1]) == {30.0}
    column = read([">=3", "\u22642", "~5", "1"])
    assert (column.bounds.tolist(), column.values.tolist()) == ([1, -1, 0, 0], [3, 2, 5, 1])
    column = read(["5.2 \u00b1 0.3", "~4", "1"])
    assert (column.bounds.tolist(), column.values.tolist()) == ([0, 0, 0], [5.2, 4, 1])
    assert column.decided.endswith("approximate, taken as measured: '5.2 \u00b1 0.3' (1 cell), '~4' (1 cell)")
    with pytest.raises(ExLMError, match="nothing can be learnt without values"):
        read([">3", "<2"])
    with pytest.raises(ExLMError, match="1 of 2 labels is a limit and no class: '>1'"):
        read([">1", "0"], kind="classification")


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["Active", "inactive", "ACTIVE", ""], [1, 0, 1, math.nan]),
        (["yes", "N", "Yes", "no"], [1, 0, 1, 0]),
        (["TRUE", "FALSE", "1", "0"], [1, 0, 1, 0]),
        (["toxic", "non-toxic"], [1, 0]), (["Soluble", "insoluble"], [1, 0]), (["stable", "not stable"], [1, 0]),
        (["BBB+", "BBB-"], [1, 0]), (["+", "\u2212", "-"], [1, 0, 0]), (["fail", "pass"], [0, 1]),
        (["low", "High"], [0, 1]),
        (["1", "-1", "1"], [1, 0, 1]), (["1.0", "0.0"], [1, 0]), (["\u00a01 ", "0\u200b"], [1, 0]),
        (["\u200e1", "\u202a0\u202c"], [1, 0]),
        (["active", "inactive", "inconclusive", "n.d."], [1, 0, math.nan, math.nan]),
    ],
)  # fmt: skip
def test_classes(texts, values):
    column = read(texts)
    assert column.kind == "classification"
    np.testing.assert_array_equal(column.values, values)


@pytest.mark.parametrize("texts", [["1.05"], ["0", "0.5", "1"], ["0", "1", "2"], ["3", "5", "7"], ["0.0", "1.5"]])
def test_a_fraction_or_more_than_two_values_are_measurements(texts):
    assert read(texts).kind == "regression"
    with pytest.raises(ExLMError, match="no class"):
        read(texts, kind="classification")


def test_a_dash_is_a_gap_beside_anything_but_a_plus():
    assert read(["-", "1.5", "-", "2.5"]).decided == "taken as measurements; not known: '-' (2 cells)"
    assert read(["+", "-", ""]).values[:2].tolist() == [1, 0]
    with pytest.raises(ExLMError, match=r"3 different words, '\+' \(1 cell\), '-' \(1 cell\), '\+/-' \(1 cell\)"):
        read(["+", "-", "+/-"])
    assert np.isnan(read(["1", "-", "0"]).values[1])
    with pytest.raises(ExLMError, match=r"only one class, '\+' \(1 cell\); not known: '-' \(1 cell\); write the other"):
        read(["+", "-"], unknown=("-",))


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        (["a", "b", "a"], {}, ("column 'y' holds 'a' (2 cells), 'b' (1 cell): say which of them is class 1, "
         "with --positive 'a' or --positive 'b'")),
        (["1", "2"], {}, "--positive '1' or --positive '2'; if they are measurements, add --kind regression"),
        (["1", "1.0", "2"], {}, "with --positive '1' --positive '1.0' or --positive '2'; if they"),
        (["1", "2"], {"kind": "classification"}, "--positive '1' or --positive '2'"),
        (["a", "b", "c"], {}, "holds 3 different words, 'a' (1 cell), 'b' (1 cell), 'c' (1 cell); a predictor"),
        (["Active", "NA"], {}, "holds only one class, 'Active' (1 cell); not known: 'NA' (1 cell); write the"),
        (["Active", "-1", "Inactive"], {}, "1 of 3 labels is neither of 'Active' and 'Inactive': '-1' (1 cell)"),
        (["", "NaN"], {}, "column 'y' has no label at all; not known: 'NaN' (1 cell)"),
        (["1.5", "high", "2.5", "high"], {}, "2 of 4 labels are no plain number: 'high' (2 cells), the first"),
        (["yes", "no"], {"kind": "regression"}, "2 of 2 labels are no plain number: 'yes'"),
        (["5 \udcb1 1", "1"], {}, "--unknown; the file is not in UTF-8: name its --encoding, such as cp1252"),
        (["12_5", "1"], {}, "1 of 2 labels is no plain number: '12_5' (1 cell), the first in line 2"),
        (["inf", "1"], {}, "'inf' (1 cell)"),
        (["1,234", "2,345"], {}, "2 of 2 labels are not clear, decimal or thousands"),
        (["0", "1", "2"], {"kind": "classification"}, "1 of 3 labels is no class: '2' (1 cell), the first in line 4"),
        (["0", "1", "9", "99"], {}, "'9' (1 cell), '99' (1 cell) may stand for a label that is not known"),
        (["-999", "0.5", "0.7", "1.5"], {}, "'-999' (1 cell) may stand for a label that is not known"),
        (["-1", "5", "7", "9.5", "-1"], {}, "'-1' (2 cells) may stand for a label that is not known"),
        (["9999", "5", "7", "9.5", "9999"], {}, "'9999' (2 cells) may stand for a label that is not known"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_asked(texts, options, message):
    with pytest.raises(ExLMError) as refused:
        read(texts, **options)
    assert message in str(refused.value)


@pytest.mark.parametrize("texts", [["-1", "0.3", "2.5", "-0.4"], ["9", "99", "42", "12", "9"], ["-1", "3", "4", "5"]])
def test_ordinary_numbers_are_no_codes(texts):
    assert read(texts).values.tolist() == list(map(float, texts))


def test_options_that_fit_no_cell_are_refused():
    for flag, options in (("--unknown", {"unknown": ("-999",)}), ("--positive", {"positive": ("Actve",)})):
        column = read(["active", "inactive"], **options)
        with pytest.raises(ExLMError, match=f"no label is '.*', which {flag} names"):
            check_use(LabelOptions(**options), [column], "a.csv")
    options = LabelOptions(unknown=("-999",))
    check_use(options, [read_labels("y", ["-999.0", "1", "0"], [2, 3, 4], "a.csv", options)], "a.csv")


def test_values_of_options():
    with pytest.raises(ExLMError, match="--positive must not be empty"):
        LabelOptions(positive=(" ",))
    with pytest.raises(ExLMError, match="--kind must be one of classification, regression, not 'ranking'"):
        LabelOptions(kind="ranking")


def test_both_words_of_every_family_are_classes():
    for positive, negative in FAMILIES:
        for yes in positive:
            for no in negative:
                assert known_classes([no, yes.upper()]) == {yes.upper(): 1, no: 0}


not_whole = st.floats(-1e6, 1e6).filter(lambda number: not number.is_integer() and abs(number) > SMALLEST)
measurements = st.lists(not_whole, min_size=1, max_size=30)
gaps = st.lists(st.sampled_from(sorted(UNKNOWN)), max_size=5)


@given(measurements, gaps, st.sampled_from(["{}", " {}", "{}\u00a0", "+{}"]), st.randoms())
def test_measurements_come_back_and_gaps_stay_gaps(numbers, unknown, written, random):
    cells = [(written.format(number) if number >= 0 else str(number), number) for number in numbers]
    cells += [(random.choice([text, text.upper(), f" {text}"]), math.nan) for text in unknown]
    random.shuffle(cells)
    column = read([text for text, _ in cells])
    assert column.kind == "regression"
    np.testing.assert_array_equal(column.values, [number for _, number in cells])


@given(st.lists(st.text(max_size=6), min_size=1, max_size=20))
def test_no_cell_is_changed_silently(texts):
    """A cell is a gap, a number that its text says, a class that is announced, or the column is refused."""
    try:
        column = read(texts)
    except ExLMError:
        return
    for text, value in zip(texts, column.values, strict=True):
        bare = text.strip()
        if math.isnan(value):
            assert is_unknown(bare.strip(INVISIBLE).strip())
        elif not column.classes:
            assert any(c in "0123456789" for c in bare)
            assert value == 0 or any(c in "123456789" for c in bare)
        else:
            assert value in (0, 1)


@given(st.lists(st.sampled_from(["0", "1", "-1", "2", ">3", "high", "1,5", "1.5", "", "NA", "-"]), min_size=1))
def test_the_order_of_the_rows_decides_nothing(texts):
    def outcome(cells):
        try:
            column = read(cells)
        except ExLMError:
            return None
        return column.kind, dict(zip(cells, map(str, column.values), strict=True))

    assume(len(set(texts)) > 1)
    assert outcome(texts) == outcome(texts[::-1])
