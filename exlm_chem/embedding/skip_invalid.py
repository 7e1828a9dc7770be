"""`SkipInvalid`: an estimator of scikit-learn that leaves out rows without numbers instead of failing on them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.metrics import check_scoring
from sklearn.utils.metaestimators import available_if


def _has(name: str) -> Any:
    return lambda self: hasattr(self.estimator, name)


class SkipInvalid(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Fit an estimator on the rows that have all their numbers, and answer NaN for the others.

    It stands behind a transformer with ``on_invalid="nan"``, so that one molecule that cannot be read costs its own row
    and not the run: `fit` leaves it out together with its label, `predict` gives NaN in its place, `score` leaves it
    out.

    Parameters
    ----------
    estimator : estimator
        A classifier or regressor.

    Attributes
    ----------
    estimator_ : estimator
        The fitted one.
    n_skipped_ : int
        How many rows `fit` left out.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> x, y = np.array([[0.0], [1.0], [np.nan]]), np.array([0.0, 2.0, 5.0])
    >>> model = SkipInvalid(LinearRegression()).fit(x, y)
    >>> model.predict(np.array([[3.0], [np.nan]])).round(3).tolist(), model.n_skipped_
    ([6.0, nan], 1)
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> Self:
        """Fit on the rows that have all their numbers.

        Parameters
        ----------
        X : array of shape (molecules, features)
            NaN in a row leaves it out.
        y : array of shape (molecules,) or (molecules, outputs)
            Labels of all rows.
        sample_weight : array of shape (molecules,), optional
            Weights of all rows.
        **fit_params
            Passed on as they are.
        """
        good = _finite(X)
        if not good.any():
            raise ValueError("no row has all its numbers: none of the molecules could be read")
        if sample_weight is not None:
            fit_params["sample_weight"] = np.asarray(sample_weight)[good]
        self.n_skipped_ = int((~good).sum())
        self.estimator_ = clone(self.estimator).fit(_rows(X, good), _rows(y, good), **fit_params)
        if hasattr(self.estimator_, "classes_"):
            self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Answer each row; NaN for one without its numbers, None among labels that are no numbers."""
        return self._answer("predict", X)

    @available_if(_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Give probabilities of the classes; NaN for a row without its numbers."""
        return self._answer("predict_proba", X)

    @available_if(_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> NDArray[Any]:
        """Give the decision values; NaN for a row without its numbers."""
        return self._answer("decision_function", X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Score as the estimator does, on the rows that have all their numbers."""
        good = _finite(X)
        weights = {} if sample_weight is None else {"sample_weight": np.asarray(sample_weight)[good]}
        scorer = check_scoring(self.estimator_)
        return float(scorer(self.estimator_, _rows(X, good), _rows(y, good), **weights))

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import get_tags

        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.estimator_type, tags.classifier_tags = inner.estimator_type, inner.classifier_tags
        tags.regressor_tags, tags.target_tags = inner.regressor_tags, inner.target_tags
        tags.input_tags.allow_nan = True
        return tags

    def _answer(self, method: str, X: Any) -> NDArray[Any]:
        good = _finite(X)
        if not good.any():
            return np.full(len(good), np.nan)
        said = np.asarray(getattr(self.estimator_, method)(_rows(X, good)))
        if good.all():
            return said
        numeric = said.dtype.kind in "biuf"
        answers = np.full((len(good), *said.shape[1:]), np.nan if numeric else None, float if numeric else object)
        answers[good] = said
        return answers


def _finite(X: Any) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = np.isfinite(np.asarray(X, dtype=float)).all(1)
    return good


def _rows(values: Any, good: NDArray[np.bool_]) -> Any:
    return values.loc[good] if hasattr(values, "loc") else np.asarray(values)[good]
