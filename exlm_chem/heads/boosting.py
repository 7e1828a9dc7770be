"""Head "boosting": gradient-boosted trees (LightGBM), one model for each column, kept as LightGBM's own text."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.heads.arrays import Arrays, take
from exlm_chem.heads.examples import Examples, Features, FloatArray
from exlm_chem.heads.folds import grouped_folds
from exlm_chem.heads.head import Head
from exlm_chem.heads.space import Parameters, Span
from exlm_chem.heads.trees_text import Trees, read_trees, short_text, split_models
from exlm_chem.terms import Kind

FEWEST_TREES: Final = 100
MOST_TREES: Final = 400
PATIENCE: Final = 40
"""No more trees where so many did not help the molecules that are held out."""

FOLDS: Final = 3

FEWEST_MOLECULES: Final = 20
"""With fewer, nothing is chosen."""

OWN_TREES: Final = 4
"""Columns up to which each chooses how many trees it has; more have `USUAL_TREES` each."""

USUAL_TREES: Final = 150


class BoostingHead(Head):
    """Gradient-boosted trees on the chosen blocks as they are, missing numbers included.

    How many trees there are is decided by a cross-validation in which no group stands in two folds. LightGBM is loaded
    when it is fitted.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 200, dtype=np.float32)[:, None]
    >>> head = BoostingHead().fit({"exlm": x}, (x > 0).astype(float), "classification", range(200))
    >>> (head.predict({"exlm": x}) > 0.5).ravel().tolist() == (x > 0).ravel().tolist()
    True
    """

    name: ClassVar[str] = "boosting"
    _texts: list[str]
    _models: list[Trees]

    def space(self) -> dict[str, Span]:
        """See `Head`: parameters of LightGBM, by its names."""
        return {
            "learning_rate": Span(0.01, 0.2, log=True),
            "num_leaves": Span(7, 127, log=True, whole=True),
            "min_data_in_leaf": Span(1, 50, log=True, whole=True),
            "feature_fraction": Span(0.05, 1.0, log=True),
            "lambda_l2": Span(0.01, 30.0, log=True),
        }

    def fit_columns(self, examples: Examples) -> None:
        """See `Head`."""
        x = _joined(examples.features)
        counts = examples.settings.get("trees", [None] * examples.labels.shape[1])
        self._texts = [_fit_column(x, examples, column, trees, self.parameters) for column, trees in enumerate(counts)]
        self._models = [read_trees(text, x.shape[1]) for text in self._texts]
        self.settings["trees"] = np.array([len(model.feature) for model in self._models])
        self.choices["trees"] = sorted(set(self.settings["trees"].tolist()))

    def outputs(self, features: Features) -> FloatArray:
        """See `Head`."""
        x = _joined(features)
        return np.stack([model.predict(x) for model in self._models], axis=1)

    def arrays(self) -> Arrays:
        """See `Head`."""
        return {"trees": np.frombuffer("".join(self._texts).encode(), np.uint8)}

    def restore(self, arrays: Arrays) -> None:
        """See `Head`."""
        self._texts = split_models(take(arrays, "trees", (None,)).astype(np.uint8).tobytes().decode(errors="replace"))
        self._models = [read_trees(text, sum(self.blocks.values())) for text in self._texts]
        if len(self._models) != len(self.varying):
            raise ExLMError(f"it holds {len(self._models)} models instead of {len(self.varying)}")


def _joined(features: Features) -> NDArray[np.float32]:
    return np.concatenate(list(features.values()), axis=1)


def _fit_column(
    x: NDArray[np.float32], examples: Examples, column: int, trees: int | None, parameters: Parameters
) -> str:
    """Fit the model of a column, with so many trees or with as many as it needs; give its text."""
    import lightgbm

    known, y, weight = examples.column(column)
    options = {**_options(examples.kind, len(y), examples.seed), **parameters}
    data = lightgbm.Dataset(x[known], y.astype(np.float32), weight=weight.astype(np.float32), params=options)
    folds = []
    if trees is None and examples.labels.shape[1] <= OWN_TREES and len(y) >= FEWEST_MOLECULES:
        folds = grouped_folds(y, examples.kind, examples.groups[known], examples.seed, FOLDS)
    if folds:
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        curves: dict[str, Any] = lightgbm.cv(options, data, MOST_TREES, folds=folds, callbacks=[stop])
        trees = max(FEWEST_TREES, *(len(curve) for curve in curves.values()))  # a curve ends with the best
    return short_text(lightgbm.train(options, data, int(trees or USUAL_TREES)))


def _options(kind: Kind, molecules: int, seed: int) -> dict[str, Any]:
    return {
        "objective": "binary" if kind == "classification" else "regression",
        "metric": "binary_logloss" if kind == "classification" else "l2",
        "learning_rate": 0.05,
        "num_leaves": 31,
        # A leaf of twenty molecules, LightGBM's default, is half of a table of forty.
        "min_data_in_leaf": int(np.clip(molecules // 50, 1, 20)),
        "feature_fraction": 0.3,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "max_bin": 63,
        "lambda_l2": 1.0,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }
