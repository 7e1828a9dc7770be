"""The kernel head: exact, on landmarks, with columns of different molecules; and Tanimoto distances."""

import json

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.heads import kernel
from exlm_chem.heads.distances import Landmarks
from exlm_chem.heads.kernel import KernelHead
from exlm_chem.heads.kernel_solvers import held_out_answers, solve
from exlm_chem.heads.registry import load_head


def data(count=120):
    random = np.random.default_rng(0)
    x = random.normal(size=(count, 3)).astype(np.float32)
    return {"exlm": x}, np.stack([np.sin(x[:, 0]), x[:, 1] ** 2], 1).astype(float)


def test_the_solution_is_that_of_the_equations():
    features, y = data(30)
    gram = np.exp(-((features["exlm"][:, None] - features["exlm"]) ** 2).sum(-1)).astype(float)
    weights = np.ones_like(y)
    weights[:5, 1] = 0
    weights[5:9, 1] = 2
    found = solve(gram, np.arange(30), y, weights, np.array([0.1, 0.3]))
    np.testing.assert_allclose(found[:, 0], np.linalg.solve(gram + 0.1 * np.eye(30), y[:, 0]), atol=1e-10)
    noise = np.diag(0.3 / weights[5:, 1])
    np.testing.assert_allclose(found[5:, 1], np.linalg.solve(gram[5:, 5:] + noise, y[5:, 1]), atol=1e-10)
    assert (found[:5, 1] == 0).all()


def test_all_molecules_as_landmarks_of_the_other_solver_is_exact_too():
    features, y = data(40)
    gram = np.exp(-((features["exlm"][:, None] - features["exlm"]) ** 2).sum(-1)).astype(float)
    weights, penalties = np.ones_like(y), np.full(2, 0.1)
    exact = solve(gram, np.arange(40), y, weights, penalties)
    twice, again = np.vstack([gram, gram]), np.vstack([y, y])
    on_landmarks = solve(twice, np.arange(40), again, np.vstack([weights, weights]) / 2, penalties)
    np.testing.assert_allclose(gram @ on_landmarks, gram @ exact, atol=1e-4)


def test_answers_are_of_molecules_that_were_held_out():
    features, y = data(30)
    gram = np.exp(-((features["exlm"][:, None] - features["exlm"]) ** 2).sum(-1)).astype(float)
    fold = np.arange(30) % 3
    fold[0] = -1
    answers = held_out_answers(gram, y, np.ones_like(y), fold, np.full(2, 0.1))
    inside = fold != 1
    expected = gram[~inside][:, inside] @ np.linalg.solve(
        gram[inside][:, inside] + 0.1 * np.eye(inside.sum()), y[inside]
    )
    np.testing.assert_allclose(answers[~inside], expected, atol=1e-4)
    assert np.isnan(answers[0]).all()


def test_more_molecules_are_learnt_by_landmarks(monkeypatch, tmp_path):
    features, y = data(300)
    exact = KernelHead().fit(features, y, "regression", range(300))
    assert exact.choices["exact"]
    monkeypatch.setattr(kernel, "EXACT", 100)
    monkeypatch.setattr(kernel, "LANDMARKS", 80)
    head = KernelHead().fit(features, y, "regression", range(300))
    assert (head.choices["landmarks"], head.choices["exact"]) == (80, False)
    errors = [np.sqrt(((one.predict(features) - y) ** 2).mean()) for one in (exact, head)]
    assert errors[0] < 0.1
    assert errors[1] < 0.2
    again = load_head(json.loads(json.dumps(head.save(tmp_path))), tmp_path)
    np.testing.assert_array_equal(again.predict(features), head.predict(features))


def test_many_columns_with_different_molecules_take_bounded_time():
    features, _ = data(200)
    random = np.random.default_rng(1)
    labels = (random.normal(size=(200, 60)) + features["exlm"][:, :1] > 0).astype(float)
    labels[random.random(labels.shape) < 0.5] = np.nan
    predicted = KernelHead().fit(features, labels, "classification", range(200)).predict(features)
    assert predicted.shape == (200, 60)
    assert (predicted[features["exlm"][:, 0] > 1].mean(), predicted[features["exlm"][:, 0] < -1].mean()) > (0.6, 0.4)


def test_probabilities_come_from_molecules_that_were_held_out():
    random = np.random.default_rng(2)
    features = {"exlm": random.normal(size=(200, 5)).astype(np.float32)}
    noise = (random.random((200, 1)) < 0.3).astype(float)
    predicted = KernelHead().fit(features, noise, "classification", range(200)).predict(features)
    assert predicted.mean() == pytest.approx(0.3, abs=0.1)
    assert predicted.max() < 0.8


def test_weights_move_the_probabilities_of_classes():
    random = np.random.default_rng(6)
    features = {"exlm": random.normal(size=(200, 5)).astype(np.float32)}
    rare = (features["exlm"][:, :1] + random.normal(size=(200, 1)) > 1.7).astype(float)
    weights = np.where(rare == 1, 0.5 / rare.mean(), 0.5 / (1 - rare.mean()))
    plain, balanced = (
        KernelHead().fit(features, rare, "classification", range(200), weights=some).predict(features).mean()
        for some in (None, weights)
    )
    assert plain < 0.15
    assert balanced > 0.25


def test_tanimoto_is_minima_over_maxima():
    random = np.random.default_rng(3)
    left, right = random.poisson(0.5, size=(5, 40)), random.poisson(0.5, size=(4, 40))
    left[0] = right[0] = 0
    landmarks = Landmarks({}, {"ecfp": right.astype(np.uint8)}, {"ecfp": 1.0})
    found = 1 - landmarks.of_block("ecfp", left.astype(np.float32)) / 2
    assert landmarks.of_block("ecfp", np.zeros((0, 40), np.float32)).shape == (0, 4)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            most = np.maximum(a, b).sum()
            assert found[i, j] == pytest.approx(np.minimum(a, b).sum() / most if most else 1.0)


def test_distances_of_training_molecules_are_2_on_the_mean():
    random = np.random.default_rng(4)
    features = {"exlm": 9 * random.normal(size=(50, 4)).astype(np.float32), "ecfp": random.poisson(0.3, (50, 60)) * 1.0}
    landmarks = Landmarks.take(features, np.arange(50))
    assert landmarks.distances(features).mean() == pytest.approx(2)
    assert len(landmarks) == 50


@pytest.mark.parametrize("spoil", ["places", "lengths", "counts"])
def test_counts_that_contradict_each_other_are_refused(spoil):
    features = {"ecfp": np.random.default_rng(5).poisson(0.5, size=(6, 20)).astype(np.float32)}
    arrays = Landmarks.take(features, np.arange(6)).arrays()
    Landmarks.restore(arrays, {"ecfp": 20})
    arrays[f"ecfp.{spoil}"] = arrays[f"ecfp.{spoil}"][:-1] if spoil == "counts" else arrays[f"ecfp.{spoil}"] + 20
    with pytest.raises(ExLMError, match=r"contradict each other|has shape"):
        Landmarks.restore(arrays, {"ecfp": 20})
