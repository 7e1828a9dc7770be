"""Where a prediction stands among those of other molecules."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.stage import Column, Rows, Stage, cells


class PercentileStage(Stage):
    """The share of a reference set whose prediction is lower; equal ones count half.

    Parameters
    ----------
    reference : dict of str to array
        For every column of the predictor what it says about the molecules of the set.
    name : str
        What these molecules are, after "share".

    Examples
    --------
    >>> from exlm_chem.prediction.stages.stage import Molecules
    >>> stage = PercentileStage({"esol": np.array([-4.0, -3.0, -2.0, -1.0])}, "of the drugs")
    >>> stage.compute(Rows(Molecules(["C", "CC"]), np.array([[-1.5], [-4.0]])))
    [[75.0, 12.5]]
    """

    def __init__(self, reference: dict[str, NDArray[Any]], name: str) -> None:
        self._reference = [np.sort(values[~np.isnan(values)]) for values in reference.values()]
        self.columns = [
            Column(
                f"{column}_percentile", f"Share {name} ({len(values):,} with an answer) whose {column} is lower.", "%"
            )
            for column, values in zip(reference, self._reference, strict=True)
        ]

    @classmethod
    def make(cls, background: Background, settings: StageSettings) -> Self:
        """Make it from the molecules that were chosen, or from the training part."""
        names = [column.name for column in background.columns]
        if settings.reference is None:
            values, name = (
                background.need_training("percentile").out_of_fold,
                "of the training molecules, each predicted without itself",
            )
        elif background.predict is None:
            raise ExLMError(
                f"'{background.name}' reads columns besides the molecules, and a reference set is molecules alone; "
                "leave --reference away"
            )
        else:
            values, name = background.predict(settings.reference), settings.reference_name
            if np.isnan(values).all():
                raise ExLMError(f"--reference: '{background.name}' has an answer for none {name}; name another file")
        return cls(dict(zip(names, values.T, strict=True)), name)

    def compute(self, rows: Rows) -> list[list[Any]]:
        """See `Stage`."""
        return [
            cells(_percentiles(values, reference))
            for values, reference in zip(rows.values.T, self._reference, strict=True)
        ]


def _percentiles(values: NDArray[Any], reference: NDArray[Any]) -> NDArray[np.float64]:
    if not len(reference):
        return np.full(len(values), np.nan)
    below, until = (np.searchsorted(reference, values, side) for side in ("left", "right"))
    return np.where(np.isnan(values), np.nan, 50 * (below + until) / len(reference))
