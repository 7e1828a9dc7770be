"""A head around a head: calibrated probabilities that are read as they were saved."""

import json

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.heads.calibrated import CalibratedHead
from exlm_chem.heads.calibration import Calibration, Curve, log_odds
from exlm_chem.heads.linear import LinearHead
from exlm_chem.heads.registry import load_head

X = {"exlm": np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)}
Y = np.stack([X["exlm"][:, 0] > 0, np.ones(40)], axis=1).astype(float)


@pytest.fixture
def head():
    inside = LinearHead().fit(X, Y, "classification", range(40))
    return CalibratedHead.of(inside, Calibration((Curve(2.0, 1.0), Curve(knots=((-1.0, 0.1), (4.0, 0.5))))))


def test_every_column_goes_through_its_curve(head):
    before = head._head.predict(X)
    expected = 2 * log_odds(before[:, 0]) + 1
    some = np.abs(expected) < 10  # beyond, a probability has no digits left
    np.testing.assert_allclose(log_odds(head.predict(X)[some, 0]), expected[some], rtol=1e-2)
    assert head.predict(X)[:, 1] == pytest.approx(0.1 + 0.4 * (log_odds(before[:, 1]) + 1) / 5)


def test_it_is_read_as_it_was_saved(head, tmp_path):
    content = json.loads(json.dumps(head.save(tmp_path)))
    again = load_head(content, tmp_path)
    np.testing.assert_array_equal(again.predict(X), head.predict(X))
    assert again.choices == head.choices == head._head.choices


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"members": []}, "must hold one head"),
        ({"details": {"curves": []}}, "a curve for each of its columns"),
        ({"details": {"curves": [{"slope": -1.0}, {}]}}, "slope of a calibration must be more than 0"),
        ({"blocks": {"exlm": 4}}, "not for the same columns and blocks"),
    ],
)
def test_damage_is_told(head, tmp_path, changes, message):
    content = head.save(tmp_path)
    with pytest.raises(ExLMError, match=message):
        load_head({**content, **changes}, tmp_path)


def test_it_cannot_be_fitted_by_itself():
    with pytest.raises(ExLMError, match="made by finetune around another one"):
        CalibratedHead().fit(X, Y, "classification", range(40))


def test_its_members_are_those_of_the_head_in_it_each_calibrated(head):
    assert len(head.member_shares) == 1
    np.testing.assert_allclose(head.predict_members(X)[0], head.predict(X), rtol=1e-6)
