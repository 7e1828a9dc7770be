"""Labels of which only a limit is known, such as ``>30`` or ``<0.1``, and what an error of them is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.metrics.numbers import FloatArray


@dataclass(frozen=True)
class BoundedLabels:
    """Measured values, some of them limits.

    Attributes
    ----------
    values : float array
        What was measured, or the limit; NaN where unknown.
    bounds : int array of the same shape
        0 for a value, 1 where the truth is larger (``>30``), -1 where it is smaller (``<0.1``).

    Examples
    --------
    >>> labels = BoundedLabels(np.array([1.0, 30.0, 0.1]), np.array([0, 1, -1]))
    >>> labels.meet(np.array([1.5, 50.0, 0.3]))
    array([ 1.5, 30. ,  0.3])
    """

    values: FloatArray
    bounds: NDArray[np.int8]

    def __post_init__(self) -> None:
        if self.values.shape != self.bounds.shape:
            raise ExLMError(f"{self.values.shape} values and {self.bounds.shape} bounds are not of the same labels")
        if not np.isin(self.bounds, (-1, 0, 1)).all():
            raise ExLMError("a bound is 0 for a value, 1 for 'larger than', -1 for 'smaller than'")

    @classmethod
    def exact(cls, values: FloatArray) -> Self:
        """Make labels of which none is a limit."""
        return cls(values, np.zeros(values.shape, dtype=np.int8))

    @property
    def censored(self) -> NDArray[np.bool_]:
        """Which labels are limits."""
        return np.not_equal(self.bounds, 0)

    @property
    def contradict(self) -> bool:
        """Whether they cannot all be true of one thing: ``>5`` and 7 can, ``>5`` and 3 cannot.

        Examples
        --------
        >>> BoundedLabels(np.array([5.0, 7.0]), np.array([1, 0])).contradict
        False
        >>> BoundedLabels(np.array([5.0, 3.0, np.nan]), np.array([1, 0, 0])).contradict
        True
        """
        known = ~np.isnan(self.values)
        least = self.values[known & (self.bounds >= 0)].max(initial=-np.inf)
        most = self.values[known & (self.bounds <= 0)].min(initial=np.inf)
        return bool(least > most)

    def meet(self, outputs: NDArray[np.float64]) -> FloatArray:
        """Move predictions that are on the right side of a limit onto it: then their error is 0.

        So every metric of errors (RMSE, MAE) of the moved predictions is the bounded metric. Metrics of ranks and
        variances are to be taken of the exact labels only.
        """
        right = self.bounds * (outputs - self.values) > 0
        return np.where(right, self.values, outputs)
