"""A sample of bounded size."""

from __future__ import annotations

import random

from exlm_chem.data_sets.sampling import Sample


def test_everything_is_kept_as_long_as_it_fits() -> None:
    sample = Sample[list[int]](100, list)
    for number in range(1000):
        seen = sample.get(str(number % 100))
        assert seen is not None
        seen.append(number)
    assert (sample.every, sample.total) == (1, 100)
    assert all(len(seen) == 10 for seen in sample.kept.values())


def test_what_stays_depends_on_no_order_and_is_complete() -> None:
    keys = [f"key {number % 5000}" for number in range(15_000)]
    shuffled = random.Random(0).sample(keys, len(keys))
    samples = [Sample[list[int]](500, list) for _ in range(2)]
    for sample, order in zip(samples, (keys, shuffled), strict=True):
        for key in order:
            if (seen := sample.get(key)) is not None:
                seen.append(1)
    assert samples[0].kept == samples[1].kept
    assert len(samples[0].kept) <= 500
    assert all(len(seen) == 3 for seen in samples[0].kept.values())
    assert 0.8 * 5000 < samples[0].total < 1.2 * 5000
