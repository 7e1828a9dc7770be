"""The mean of heads of several seeds."""

import json

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.heads.ensemble import EnsembleHead
from exlm_chem.heads.kernel import KernelHead
from exlm_chem.heads.linear import LinearHead
from exlm_chem.heads.registry import load_head

X = {"exlm": np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)}
Y = np.stack([X["exlm"][:, 0], np.ones(40)], axis=1)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_its_answer_is_the_mean_also_after_it_was_saved(kind, tmp_path):
    labels = Y if kind == "regression" else (Y > 0).astype(float)
    heads = [LinearHead().fit(X, labels, kind, range(40)), KernelHead().fit(X, labels, kind, range(40))]
    head = EnsembleHead.of(heads)
    np.testing.assert_allclose(head.predict(X), np.mean([one.predict(X) for one in heads], axis=0), atol=1e-6)
    np.testing.assert_array_equal(head.predict_members(X), [one.predict(X) for one in heads])
    again = load_head(json.loads(json.dumps(head.save(tmp_path))), tmp_path)
    np.testing.assert_allclose(again.predict(X), head.predict(X), atol=1e-6)
    assert (len(again.member_shares), again.choices) == (2, head.choices)
    fewer = head.refit({"exlm": X["exlm"][:30]}, labels[:30, :1], range(30), np.array([0]))
    assert fewer.predict(X).shape == (40, 1)


def test_what_does_not_fit_together_is_refused(tmp_path):
    content = EnsembleHead.of([LinearHead().fit(X, Y, "regression", range(40))]).save(tmp_path)
    for members in ([], [{**content["members"][0], "blocks": {"exlm": 4}}]):
        with pytest.raises(ExLMError):
            load_head({**content, "members": members}, tmp_path)
    with pytest.raises(ExLMError, match="made by finetune --ensemble"):
        EnsembleHead().fit(X, Y, "regression", range(40))
