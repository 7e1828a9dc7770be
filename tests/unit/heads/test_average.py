"""The average of heads."""

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.heads import average
from exlm_chem.heads.average import AverageHead
from exlm_chem.heads.registry import load_head

X = {
    "exlm": np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32),
    "ecfp": np.random.default_rng(1).poisson(0.5, size=(40, 9)).astype(np.float32),
}
Y = (X["exlm"][:, :1] > 0).astype(float)


def test_members_are_heads_on_every_block_and_on_all():
    head = AverageHead(["linear", "kernel"]).fit(X, Y, "classification", range(40))
    assert head.choices["members"] == [
        *("linear on exlm", "kernel on exlm", "kernel on ecfp", "linear on exlm + ecfp", "kernel on exlm + ecfp")
    ]
    mean = np.mean([member.predict(X) for member in head._members], axis=0)
    np.testing.assert_allclose(head.predict(X), mean, atol=1e-6)


def test_boosting_is_left_out_of_many_columns_and_that_is_said(monkeypatch):
    monkeypatch.setattr(average, "MOST_BOOSTED", 2)
    head = AverageHead().fit(X, np.tile(X["exlm"], (1, 1)).astype(float), "regression", range(40))
    assert not any("boosting" in member for member in head.choices["members"])
    assert head.choices["left out"] == "boosting: 3 columns, and it needs a model for each"


def test_members_that_do_not_fit_are_refused(tmp_path):
    content = AverageHead(["linear"]).fit(X, Y, "classification", range(40)).save(tmp_path)
    assert load_head(content, tmp_path).predict(X).shape == (40, 1)
    first = content["members"][0]
    for members in ([], [{**first, "kind": "regression"}], [{**first, "blocks": {"exlm": 5}}], [{}]):
        with pytest.raises(ExLMError):
            load_head({**content, "members": members}, tmp_path)
    with pytest.raises(ExLMError, match="at least one head"):
        AverageHead([])
