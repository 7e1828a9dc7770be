"""The file of predictions: what is written is read, and what is no such file is refused with its line."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.predictions import COLUMNS, predictions_table, read_predictions, write_predictions

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None, max_examples=40)
@given(
    labels=st.lists(st.one_of(NUMBERS, st.just(float("nan"))), min_size=1, max_size=8),
    outputs=st.lists(NUMBERS, min_size=8, max_size=8),
    bounds=st.lists(st.sampled_from([-1, 0, 1]), min_size=8, max_size=8),
    target=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1),
)
def test_what_is_written_is_read(labels, outputs, bounds, target, tmp_path_factory):
    count = len(labels)
    made = predictions_table(
        range(count), [target], np.array(labels)[:, None], np.array(outputs[:count])[:, None], part="valid", fold=3
    )
    made["bound"] = np.where(made["y"].isna(), 0, bounds[:count])
    folder = tmp_path_factory.mktemp("run")
    write_predictions(folder / "predictions.csv", made)
    read = read_predictions(folder)
    pd.testing.assert_frame_equal(read, made, check_dtype=False)
    assert list(read.columns) == [*COLUMNS, "bound"]


def test_several_targets_and_molecules():
    table = predictions_table([5, 9], ["a", "b"], np.array([[1.0, 2.0], [3.0, np.nan]]), np.zeros((2, 2)), part="test")
    assert table[["row", "target"]].to_numpy().tolist() == [[5, "a"], [5, "b"], [9, "a"], [9, "b"]]


def test_a_file_of_another_program(tmp_path):
    (tmp_path / "mine.csv").write_text("Row,Y,Prediction,more\n3,>30,20,x\n4,,1e-3,x\n5,<0.1,0,x\n")
    table = read_predictions(tmp_path / "mine.csv")
    assert table["part"].tolist() == ["test"] * 3
    assert table["bound"].tolist() == [1, 0, -1]
    np.testing.assert_array_equal(table["y"], [30, np.nan, 0.1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no table of predictions"),
        ("row,y\n1,2\n", "has no column 'prediction'"),
        ("row,y,prediction\n1.5,2,3\n", "line 2, column 'row': '1.5' is no whole number"),
        ("row,y,prediction\n1,2,\n", "line 2, column 'prediction': '' is no number"),
        ("row,y,prediction\n1,2,inf\n", "'inf' is no number"),
        ("row,y,prediction\n1,x,3\n", "column 'y': 'x' is no number"),
        ("row,part,y,prediction\n1,test,2,3\n1,rest,2,3\n", "line 3: 'rest' is no part"),
        ("row,y,prediction\n1,2,3,4,5\n2,3\n", "no table of predictions|no whole number|no number"),
    ],
)
def test_what_is_no_file_of_predictions(tmp_path, text, message):
    (tmp_path / "predictions.csv").write_text(text)
    with pytest.raises(ExLMError, match=message):
        read_predictions(tmp_path)


def test_a_run_without_predictions(tmp_path):
    with pytest.raises(ExLMError, match="cannot be read: no such file or directory; name a run"):
        read_predictions(tmp_path)
