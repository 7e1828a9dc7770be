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


def test_extra_columns_stand_beside_every_block():
    beside = {**X, "columns": X["exlm"][:, :1]}
    head = AverageHead(["linear", "kernel"]).fit(beside, Y, "classification", range(40))
    assert head.choices["members"] == [
        *("linear on exlm + columns", "kernel on exlm + columns", "kernel on ecfp + columns"),
        *("linear on exlm + ecfp + columns", "kernel on exlm + ecfp + columns"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "members", "rule"),
    [
        ("MOST_BOOSTED", 2, 5, "no boosting of more than 2 columns"),
        ("FEW_COLUMNS", 2, 2, "linear models on every block of numbers, the other heads on all"),
        ("FEW_LABELS", 119, 2, "or 119 labels"),
    ],
)
def test_who_is_a_member_where_there_is_much_to_learn_follows_a_rule_that_is_told(
    monkeypatch, name, value, members, rule
):
    monkeypatch.setattr(average, "FEW_COLUMNS", 3)
    monkeypatch.setattr(average, name, value)
    head = AverageHead(["linear", "kernel", "boosting"][: 3 if name == "MOST_BOOSTED" else 2])
    head.fit(X, X["exlm"].astype(float), "regression", range(40))
    assert rule in head.choices["rule"]
    assert len(head.choices["members"]) == members
    assert not any("boosting" in member for member in head.choices["members"])


def test_members_that_do_not_fit_are_refused(tmp_path):
    content = AverageHead(["linear"]).fit(X, Y, "classification", range(40)).save(tmp_path)
    assert load_head(content, tmp_path).predict(X).shape == (40, 1)
    first = content["members"][0]
    for members in ([], [{**first, "kind": "regression"}], [{**first, "blocks": {"exlm": 5}}], [{}]):
        with pytest.raises(ExLMError):
            load_head({**content, "members": members}, tmp_path)
    with pytest.raises(ExLMError, match="at least one head"):
        AverageHead([])


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_its_answer_is_the_mean_of_what_its_members_say(kind):
    labels = np.stack([Y[:, 0] if kind == "classification" else X["exlm"][:, 0], np.ones(40)], axis=1)
    head = AverageHead(["linear", "kernel"]).fit(X, labels, kind, range(40))
    said = head.predict_members(X)
    assert said.shape == (len(head.member_shares), 40, 2) == (5, 40, 2)
    np.testing.assert_allclose((head.member_shares[:, None] * said).sum(0), head.predict(X), atol=1e-5)
    assert (said[:, :, 0].std(0) > 0).any()


def test_what_it_says_on_one_block_is_what_a_fit_on_that_block_says(monkeypatch):
    head = AverageHead(["linear", "kernel"]).fit(X, Y, "classification", range(40))
    for block, values in X.items():
        alone = AverageHead(["linear", "kernel"]).fit({block: values}, Y, "classification", range(40))
        np.testing.assert_array_equal(head.on_block(block).predict(X), alone.predict(X))
    monkeypatch.setattr(average, "FEW_LABELS", 1)
    much = AverageHead(["linear", "kernel"]).fit(X, Y, "classification", range(40))
    assert much.choices["members"] == ["linear on exlm", "kernel on exlm + ecfp"]
    assert [much.on_block(block) for block in X] == [None, None]


def test_members_for_values_count_by_what_they_say_of_molecules_that_they_have_not_seen(tmp_path):
    random = np.random.default_rng(2)
    features = {"descriptors": X["exlm"], "ecfp": random.poisson(0.5, size=(40, 9)).astype(np.float32)}
    labels = 3 * X["exlm"][:, :1] + 7
    head = AverageHead(["linear", "kernel"]).fit(features, labels, "regression", range(40))
    shares = head.choices["weights"]
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert shares["linear on descriptors"] > 5 * shares["kernel on ecfp"]
    plain = np.abs(head.predict_members(features).mean(0) - labels).mean()
    assert np.abs(head.predict(features) - labels).mean() < plain / 2
    content = head.save(tmp_path)
    np.testing.assert_allclose(load_head(content, tmp_path).predict(features), head.predict(features), atol=1e-5)
    alone = AverageHead(["linear", "kernel"]).fit({"descriptors": X["exlm"]}, labels, "regression", range(40))
    np.testing.assert_array_equal(head.on_block("descriptors").predict(features), alone.predict(features))
    assert load_head(content, tmp_path).on_block("descriptors") is None  # what it was weighed by is not kept
    again = head.refit(features, labels, range(40), np.array([0]))
    np.testing.assert_allclose(again.predict(features), head.predict(features), atol=1e-5)
