"""What is done to features first."""

import numpy as np

from exlm_chem.heads.preprocessing import BlockScaling, Preprocessing


def test_statistics_are_those_of_the_training_molecules():
    random = np.random.default_rng(0)
    values = (random.normal(size=(500, 3)) * [1, 1000, 0.001] + 5).astype(np.float32)
    values[::3, 1] = np.nan
    scaling = BlockScaling.fit(values)
    scaled = scaling.apply(values)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=0.01)
    np.testing.assert_allclose(scaled.std(0), 1, atol=0.01)
    new = np.array([[np.nan, np.nan, np.nan], [1e30, -1e30, 0.0]], np.float32)
    applied = scaling.apply(new)
    assert np.abs(applied[0]).max() < 0.2  # the median
    assert np.abs(applied[1]).max() < 5  # the range of the training molecules
    assert applied.dtype == np.float32


def test_constant_and_empty_columns_become_0():
    values = np.stack([np.full(20, 7.0), np.full(20, np.nan), np.arange(20.0)], 1).astype(np.float32)
    scaling = BlockScaling.fit(values)
    assert (scaling.apply(values)[:, :2] == 0).all()
    assert (scaling.apply(np.full((1, 3), 1e9, np.float32))[:, :2] == 0).all()


def test_counts_go_through_a_logarithm_and_blocks_keep_their_order():
    features = {"ecfp": np.array([[0, 1], [3, 0], [0, 8]], np.float32), "exlm": np.eye(3, dtype=np.float32)}
    preprocessing = Preprocessing.fit(features)
    expected = np.log1p(features["ecfp"])
    joined = preprocessing.joined(features)
    np.testing.assert_allclose(joined[:, :2], (expected - expected.mean(0)) / expected.std(0), atol=0.01)
    again = Preprocessing.restore(preprocessing.arrays(), {"ecfp": 2, "exlm": 3})
    np.testing.assert_array_equal(again.joined(features), joined)
