"""``compare``: which run is better, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from exlm_chem.evaluation.options import CompareOptions
from exlm_chem.evaluation.runs import Scores, read_scores
from exlm_chem.evaluation.statistics import LEVEL, Pairs, compare_scores


@dataclass(frozen=True)
class Comparison:
    """What came out, the best method first.

    Attributes
    ----------
    scores : Scores
        Of every method on every fold.
    pairs : Pairs
        How every two of them differ.
    """

    scores: Scores
    pairs: Pairs

    def worse(self) -> list[bool]:
        """Tell for every method whether it is worse than the best beyond chance."""
        return [bool(p < LEVEL) for p in self.pairs.p_values[0]]

    def __str__(self) -> str:
        best = f"{self.scores.methods[0]} is best ({self.scores.metric.title} {self.scores.array[0].mean():.3f})"
        methods, worse = self.scores.methods[1:], self.worse()[1:]
        equal = [name for name, is_worse in zip(methods, worse, strict=True) if not is_worse]
        others = [name for name, is_worse in zip(methods, worse, strict=True) if is_worse]
        if not others:
            return f"{best}, and none of the others can be told apart from it: {', '.join(equal)}"
        text = f"{best} and better beyond chance than {', '.join(others)}"
        return text + (f"; not to be told apart from it: {', '.join(equal)}" if equal else "")

    def to_json(self) -> dict[str, Any]:
        """Give everything for programs."""
        scores, pairs = self.scores, self.pairs
        rows = zip(scores.methods, scores.array, self.worse(), strict=True)
        return {
            "metric": scores.metric.name,
            "higher_is_better": scores.metric.higher_is_better,
            "folds": scores.folds,
            "methods": [
                {
                    "name": name,
                    "mean": float(values.mean()),
                    "sd": float(values.std(ddof=1)),
                    "worse_than_the_best": worse,
                    "scores": values.tolist(),
                }
                for name, values, worse in rows
            ],
            "test": pairs.test,
            "why_this_test": pairs.reason,
            "p_all_alike": pairs.overall,
            "differences": pairs.differences.tolist(),
            "p_values": pairs.p_values.tolist(),
            "margin": pairs.margin,
            "summary": str(self),
        }


def compare(runs: Sequence[str | Path], options: CompareOptions | None = None) -> Comparison:
    """Compare runs by their predictions.

    The folds of a cross-validation share training molecules, so that p-values are somewhat too small: a difference
    that is not significant here is none.

    Parameters
    ----------
    runs : sequence of path
        See `read_scores`.
    options : CompareOptions, optional
        See there.

    Raises
    ------
    ExLMError
        See `read_scores`.
    """
    options = options or CompareOptions()
    scores = read_scores(runs, options.metric, options.part)
    sign = -1 if scores.metric.higher_is_better else 1
    order = np.argsort(sign * scores.array.mean(1), kind="stable")
    ordered = Scores([scores.methods[i] for i in order], scores.folds, scores.metric, scores.array[order])
    return Comparison(ordered, compare_scores(ordered.array, options.test))
