"""Predictions out of fold: nobody is predicted by a model that knows its group."""

from __future__ import annotations

import numpy as np

from exlm_chem.finetuning.kept import out_of_fold


def test_no_model_has_seen_the_group_of_what_it_predicts() -> None:
    groups = [f"scaffold {number % 7}" for number in range(40)]
    labels = np.random.default_rng(0).normal(size=(40, 2))
    seen: list[int] = []

    def fit_predict(train, held_out, columns):
        assert not {groups[one] for one in train} & {groups[one] for one in held_out}
        seen.extend(held_out)
        return np.repeat(held_out[:, None], len(columns), axis=1)

    predictions = out_of_fold(fit_predict, labels, groups)
    assert sorted(seen) == list(range(40))
    assert predictions[:, 1].tolist() == list(range(40))


def test_the_seed_decides() -> None:
    groups, labels = list(range(40)), np.zeros((40, 1))

    def folds(seed):
        return out_of_fold(lambda train, held_out, _: np.full((len(held_out), 1), train.sum()), labels, groups, seed)

    np.testing.assert_array_equal(folds(1), folds(1))
    assert (folds(1) != folds(2)).any()


def test_a_column_that_cannot_be_learnt_is_unknown() -> None:
    labels = np.full((10, 2), np.nan)
    labels[:, 0] = 1.0
    labels[3, 1] = 1.0

    def fit_predict(train, held_out, columns):
        assert not np.isnan(labels[np.ix_(train, columns)]).all(0).any()
        return np.ones((len(held_out), len(columns)))

    predictions = out_of_fold(fit_predict, labels, list(range(10)))
    assert (predictions[:, 0] == 1).all()
    assert np.isnan(predictions[3, 1])
    assert (~np.isnan(predictions[:, 1])).sum() >= 6


def test_one_group_and_no_molecules() -> None:
    def never(*_):
        raise AssertionError

    assert np.isnan(out_of_fold(never, np.zeros((4, 1)), ["same"] * 4)).all()
    assert out_of_fold(never, np.zeros((0, 3)), []).shape == (0, 3)
