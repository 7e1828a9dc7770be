"""Columns of a table as features."""

import json

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.features.columns import ColumnsBlock

CELLS = {"pH": ["7.4", 2, None, "?"], "assay": ["cell", " enzyme", "cell", "NA"], "dry": ["TRUE", "false", "true", ""]}


def test_numbers_and_categories():
    block = ColumnsBlock.fit(CELLS)
    assert block.names == ("pH", "assay=cell", "assay=enzyme", "dry")
    values, notes, errors = block.encode(CELLS)
    expected = [[7.4, 1, 0, 1], [2, 0, 1, 0], [np.nan, 1, 0, 1], [np.nan] * 4]
    np.testing.assert_array_equal(values, np.array(expected, np.float32))
    assert errors == notes[:2] + [None] * 2 == [None] * 4
    assert notes[2] == "pH is taken as unknown: it is empty"
    assert notes[3].count("is taken as unknown") == 3


def test_it_is_made_again_from_json():
    block = ColumnsBlock.fit(CELLS)
    again = ColumnsBlock.from_settings(json.loads(json.dumps(block.settings)))
    assert (again.fingerprint, again.names) == (block.fingerprint, block.names)


def test_a_row_that_was_not_learnt_has_its_reason():
    block = ColumnsBlock.fit(CELLS)
    cells = {"assay": ["animal", "cell", "cell"], "pH": ["7", "acid", "1e300"], "dry": ["true"] * 3}
    values, notes, errors = block.encode(cells)
    assert errors == [None, "column 'pH': 'acid' is no number", "column 'pH': '1e300' is no number"]
    assert notes == [
        "assay is taken as unknown: it is 'animal', which was not met in training", None, None,
    ]  # fmt: skip
    assert np.isnan(values[0, 1:3]).all()


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"pH": ["", None]}, "column 'pH' is empty in all training rows"),
        ({"id": [f"m{n}" for n in range(60)]}, "column 'id' holds 60 different texts, and at most 50"),
    ],
)
def test_columns_that_say_nothing_are_refused(cells, message):
    with pytest.raises(ExLMError, match=message):
        ColumnsBlock.fit(cells)


def test_a_missing_column_is_named():
    with pytest.raises(ExLMError, match="column 'pH' is missing"):
        ColumnsBlock.fit(CELLS).encode({"assay": ["cell"]})


@pytest.mark.parametrize("settings", [{}, {"columns": 3}, {"columns": [{"name": 1}]}])
def test_settings_are_checked(settings):
    with pytest.raises(ExLMError):
        ColumnsBlock.from_settings(settings)
