"""What every head promises."""

import json
from functools import cache

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from exlm_chem.errors import ExLMError
from exlm_chem.heads import boosting, linear, network
from exlm_chem.heads.average import AverageHead
from exlm_chem.heads.registry import HEADS, load_head, make_head

BLOCKS = ("exlm", "ecfp", "descriptors")
EVERY = pytest.mark.parametrize("name", HEADS)
KINDS = pytest.mark.parametrize("kind", ["classification", "regression"])


@pytest.fixture
def _quick(monkeypatch):
    """Fewer trees, epochs and penalties to choose from, where it does not matter how good a head is."""
    monkeypatch.setattr(boosting, "FEWEST_TREES", 8)
    monkeypatch.setattr(boosting, "MOST_TREES", 12)
    monkeypatch.setattr(boosting, "USUAL_TREES", 8)
    monkeypatch.setattr(network, "EPOCHS", 5)
    monkeypatch.setattr(linear, "LOGISTIC_C", linear.LOGISTIC_C[::5])
    monkeypatch.setattr(linear, "RIDGE_ALPHA", linear.RIDGE_ALPHA[::5])


def features(count=48, seed=0):
    random = np.random.default_rng(seed)
    descriptors = (random.normal(size=(count, 6)) * [1, 1e3, 1e-3, 1, 1, 0] + 5).astype(np.float32)
    descriptors[::7, 3] = np.nan
    return {
        "exlm": random.normal(size=(count, 8)).astype(np.float32),
        "ecfp": random.poisson(0.4, size=(count, 30)).astype(np.float32),
        "descriptors": descriptors,
    }


def labels_of(blocks, kind, columns=1):
    signal = blocks["exlm"][:, :columns] + 0.5 * (blocks["descriptors"][:, :1] - 5) + 0.3 * blocks["ecfp"][:, :1]
    return (signal > np.median(signal, 0)).astype(float) if kind == "classification" else signal.astype(float)


def groups_of(count):
    return [f"g{index // 2}" for index in range(count)]


def fitted(name, blocks, labels, kind, **options):
    # three members on every block take their time, and are tested by themselves
    head = AverageHead(("linear", "kernel")) if name == "average" else make_head(name)
    return head.fit(blocks, labels, kind, groups_of(len(labels)), **options)


@cache
def usual(name, kind, columns=1):
    """A quick head that several tests look at and none changes."""
    blocks = features()
    return fitted(name, blocks, labels_of(blocks, kind, columns), kind)


def saved(head, folder):
    return load_head(json.loads(json.dumps(head.save(folder))), folder)


@EVERY
@KINDS
def test_a_tiny_set_is_learnt_by_heart(name, kind):
    blocks = {"exlm": features(32)["exlm"]}
    signal = 3 * blocks["exlm"][:, :1].astype(float)
    labels = (signal > 0).astype(float) if kind == "classification" else signal
    predicted = fitted(name, blocks, labels, kind).predict(blocks)
    assert predicted.dtype == np.float32
    if kind == "classification":
        assert ((predicted >= 0) & (predicted <= 1)).all()
        assert roc_auc_score(labels, predicted) == 1.0
    else:
        assert r2_score(labels, predicted) > 0.95


@pytest.mark.usefixtures("_quick")
@EVERY
@KINDS
def test_what_is_saved_gives_the_same_numbers_to_the_last_bit(name, kind, tmp_path):
    head = usual(name, kind, 2)
    again = saved(head, tmp_path / "head")
    new = features(20, seed=1)
    np.testing.assert_array_equal(again.predict(new), head.predict(new))
    assert (again.kind, again.blocks, again.columns, again.choices) == (kind, head.blocks, 2, head.choices)
    files = [path for path in (tmp_path / "head").rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["head.safetensors.zst"]


@pytest.mark.usefixtures("_quick")
@EVERY
@KINDS
def test_unknown_labels_and_those_of_weight_0_have_no_influence(name, kind):
    blocks = features(40)
    labels = labels_of(blocks, kind, 2)
    labels[5:10, 0] = np.nan
    weights = np.ones_like(labels)
    expected = fitted(name, blocks, labels, kind, weights=weights).predict(blocks)
    other = labels.copy()
    other[5:10, 0] = 1.0
    weights[5:10, 0] = 0
    np.testing.assert_array_equal(fitted(name, blocks, other, kind, weights=weights).predict(blocks), expected)


@pytest.mark.usefixtures("_quick")
@EVERY
@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_the_unit_of_the_labels_does_not_matter(name, factor):
    blocks = features()
    labels = labels_of(blocks, "regression", 2)
    expected = usual(name, "regression", 2).predict(blocks)
    scaled = fitted(name, blocks, labels * factor, "regression").predict(blocks)
    np.testing.assert_allclose(scaled / factor, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("_quick")
@EVERY
@KINDS
def test_a_molecule_has_its_numbers_alone_in_any_order_and_with_other_blocks(name, kind):
    head = usual(name, kind)
    new = features(9, seed=2)
    together = head.predict({**new, "columns": np.zeros((9, 2), np.float32)})
    alone = [head.predict({block: values[[row]] for block, values in new.items()})[0] for row in range(9)]
    backwards = head.predict({block: values[::-1] for block, values in reversed(new.items())})[::-1]
    np.testing.assert_allclose(alone, together, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(backwards, together, rtol=1e-6, atol=1e-7)
    assert head.predict({block: values[:0] for block, values in new.items()}).shape == (0, 1)


@pytest.mark.usefixtures("_quick")
@EVERY
@KINDS
def test_the_seed_decides(name, kind):
    blocks = features()
    again = fitted(name, blocks, labels_of(blocks, kind), kind, seed=0)
    np.testing.assert_array_equal(again.predict(blocks), usual(name, kind).predict(blocks))


@pytest.mark.usefixtures("_quick")
@EVERY
def test_constant_columns_are_answered_as_such(name, tmp_path):
    blocks = features(30)
    labels = np.stack([np.full(30, 3.5), np.arange(30.0)], 1)
    head = fitted(name, blocks, labels, "regression")
    assert (head.predict(blocks)[:, 0] == 3.5).all()
    classes = np.stack([np.ones(30), np.arange(30) % 2], 1)
    both = fitted(name, blocks, classes, "classification")
    np.testing.assert_allclose(both.predict(blocks)[:, 0], 31 / 32, rtol=1e-6)
    constant = fitted(name, blocks, classes[:, :1], "classification")
    np.testing.assert_array_equal(saved(constant, tmp_path).predict(blocks), constant.predict(blocks))


@pytest.mark.usefixtures("_quick")
@EVERY
@KINDS
@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_few_molecules(name, kind, count):
    blocks = {block: values[:count] for block, values in features().items()}
    labels = (np.arange(count) % 2)[:, None].astype(float)
    assert np.isfinite(fitted(name, blocks, labels, kind).predict(features(5))).all()


@pytest.mark.usefixtures("_quick")
@EVERY
@KINDS
def test_a_column_with_few_labels_beside_a_full_one(name, kind):
    blocks = features(40)
    labels = labels_of(blocks, kind, 2)
    labels[2:, 0] = np.nan
    labels[:2, 0] = 0, 1
    predicted = fitted(name, blocks, labels, kind).predict(blocks)
    assert np.isfinite(predicted).all()


@pytest.mark.usefixtures("_quick")
@EVERY
def test_positives_that_share_one_group(name):
    blocks = features(40)
    labels = (np.arange(40) < 6)[:, None].astype(float)
    groups = ["one" if index < 6 else str(index) for index in range(40)]
    assert np.isfinite(make_head(name).fit(blocks, labels, "classification", groups).predict(blocks)).all()


@pytest.mark.usefixtures("_quick")
@EVERY
def test_features_without_any_value_or_with_huge_ones(name):
    blocks = features(30)
    blocks["descriptors"][:, 1] = np.nan
    blocks["descriptors"][0, 0] = 3e38
    blocks["descriptors"][:, 4] = 7
    predicted = fitted(name, blocks, labels_of(features(30), "regression"), "regression").predict(blocks)
    assert np.isfinite(predicted).all()


@pytest.mark.usefixtures("_quick")
@EVERY
def test_damage_is_told_in_one_sentence(name, tmp_path):
    content = usual(name, "classification").save(tmp_path)

    def failure(**changes):
        with pytest.raises(ExLMError) as caught:
            load_head({**content, **changes}, tmp_path)
        return str(caught.value)

    assert "head.name is missing" in failure_of({}, tmp_path)
    assert "head.kind must be one of classification, regression" in failure(kind="ranking")
    assert "'label.mean' has shape (1,) instead of (2)" in failure(columns=2)
    assert failure(blocks={"exlm": 8})
    assert "other sha256" in failure(files=dict.fromkeys(content["files"], "0" * 64))
    path = tmp_path / "head.safetensors.zst"
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    assert "head.safetensors" in failure()
    path.unlink()
    assert "head.safetensors.zst is missing" in failure()


def failure_of(content, folder):
    with pytest.raises(ExLMError) as caught:
        load_head(content, folder)
    return str(caught.value)


@pytest.mark.usefixtures("_quick")
@EVERY
@KINDS
def test_refitted_on_the_same_molecules_it_is_the_same_head(name, kind):
    blocks = features(40)
    labels = labels_of(blocks, kind, 3)
    labels[:, 1] = 1.0  # constant, so it has no model
    head = fitted(name, blocks, labels, kind)
    again = head.refit(blocks, labels[:, 1:], groups_of(40), np.array([1, 2]))
    assert again is not head
    assert again.columns == 2
    if name != "network":  # which trains its columns together
        np.testing.assert_allclose(again.predict(blocks), head.predict(blocks)[:, 1:], rtol=1e-5, atol=1e-5)
    some = {block: values[:20] for block, values in blocks.items()}
    assert np.isfinite(head.refit(some, labels[:20], groups_of(20), np.arange(3)).predict(blocks)).all()
