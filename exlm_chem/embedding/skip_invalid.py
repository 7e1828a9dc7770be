"""`SkipInvalid`: an estimator of scikit-learn that leaves out rows without numbers instead of failing on them."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.metrics import check_scoring, get_scorer
from sklearn.utils import _safe_indexing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

NONE_GOOD: Final = "no row has all its numbers: none of the molecules could be read"


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
    n_features_in_ : int
        How many columns there are.

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
        good = self._good(X, reset=True)
        if not good.any():
            raise ValueError(NONE_GOOD)
        check_consistent_length(X, y, sample_weight)
        if sample_weight is not None:
            fit_params["sample_weight"] = np.asarray(sample_weight)[good]
        self.n_skipped_ = int((~good).sum())
        self.estimator_ = clone(self.estimator).fit(_rows(X, good), _rows(y, good), **fit_params)
        if hasattr(self.estimator_, "classes_"):
            self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Answer each row; NaN for one without its numbers, None among labels that are no numbers."""
        answers: NDArray[Any] = self._answer("predict", X)
        return answers

    @available_if(_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Give probabilities of the classes, of several outputs a list; NaN for a row without its numbers."""
        return self._answer("predict_proba", X)

    @available_if(_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> NDArray[Any]:
        """Give the decision values; NaN for a row without its numbers."""
        values: NDArray[Any] = self._answer("decision_function", X)
        return values

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Score as the estimator does, on the rows that have all their numbers."""
        good = self._good(X)
        if not good.any():
            raise ValueError(NONE_GOOD)
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

    def _good(self, X: Any, *, reset: bool = False) -> NDArray[np.bool_]:
        """Say which rows have all their numbers; the columns must be those of `fit`."""
        if not reset:
            check_is_fitted(self)
        numbers = validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite=False)
        good: NDArray[np.bool_] = np.isfinite(numbers).all(1)
        return good

    def _answer(self, method: str, X: Any) -> Any:
        good = self._good(X)
        # of none, the shape and the kind of an answer are those for a row of zeros
        asked = _rows(X, good) if good.any() else _zeros(X)
        said = getattr(self.estimator_, method)(asked)
        if method == "predict_proba" and isinstance(said, list):  # one array for each output
            return [_in_their_rows(np.asarray(one), good) for one in said]
        return _in_their_rows(np.asarray(said), good)


def _in_their_rows(said: NDArray[Any], good: NDArray[np.bool_]) -> NDArray[Any]:
    """Put the answers to the good rows where they belong."""
    said = said[: good.sum()]
    if good.all():
        return said
    numeric = said.dtype.kind in "biuf"
    answers = np.full((len(good), *said.shape[1:]), np.nan if numeric else None, float if numeric else object)
    answers[good] = said
    return answers


def _rows(values: Any, good: NDArray[np.bool_]) -> Any:
    if values is None:  # of y, for an estimator that then says what it needs
        return None
    return values.loc[good] if hasattr(values, "loc") else np.asarray(values)[good]


def _zeros(values: Any) -> Any:
    """Give one row of zeros with the columns of a table."""
    return values.iloc[:1].map(lambda _: 0.0) if hasattr(values, "iloc") else np.zeros((1, np.shape(values)[1]))


class SkippingScorer:
    """Score by the rows that get an answer: a scorer of scikit-learn refuses NaN.

    Parameters
    ----------
    scoring : str or callable
        The name of a scorer, or one.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> x, y = np.array([[0.0], [1.0], [np.nan]]), np.array([0.0, 2.0, 5.0])
    >>> round(SkippingScorer("r2")(SkipInvalid(LinearRegression()).fit(x, y), x, y), 3)
    1.0
    """

    def __init__(self, scoring: Any) -> None:
        self.scoring = scoring

    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        """Score a fitted estimator, `SkipInvalid` or a pipeline that ends with one.

        Parameters
        ----------
        estimator : estimator
            The fitted one.
        X : array or list
            What it predicts from: molecules, if it is a pipeline that begins with them.
        y : array
            Labels of all rows.
        """
        answers = np.asarray(estimator.predict(X))
        answered = np.flatnonzero(~pd.isna(answers).reshape(len(answers), -1).any(1))
        if not len(answered):
            raise ValueError(NONE_GOOD)
        return float(get_scorer(self.scoring)(estimator, _safe_indexing(X, answered), _safe_indexing(y, answered)))
