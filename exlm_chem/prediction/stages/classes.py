"""The class beside a probability."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.stage import Column, Rows, Stage


class ClassStage(Stage):
    """1 from the threshold on, 0 below it.

    Parameters
    ----------
    thresholds : dict of str to float or None
        For every column of the predictor its threshold; one without gets no class.

    Examples
    --------
    >>> from exlm_chem.prediction.stages.stage import Molecules
    >>> stage = ClassStage({"bbbp": 0.5})
    >>> stage.compute(Rows(Molecules(["C", "CC", None]), np.array([[0.7], [0.2], [np.nan]])))
    [[1, 0, None]]
    """

    def __init__(self, thresholds: dict[str, float | None]) -> None:
        self._thresholds = [
            (index, threshold) for index, threshold in enumerate(thresholds.values()) if threshold is not None
        ]
        self.columns = [
            Column(f"{name}_class", f"1 if {name} is at least {threshold:g}, else 0.", type=int)
            for name, threshold in thresholds.items()
            if threshold is not None
        ]

    @classmethod
    def make(cls, background: Background, _settings: StageSettings) -> Self | None:
        """Make it for a predictor of probabilities."""
        if background.kind != "classification":
            return None
        return cls({column.name: column.threshold for column in background.columns})

    def compute(self, rows: Rows) -> list[list[Any]]:
        """See `Stage`."""
        return [
            [None if np.isnan(value) else int(value >= threshold) for value in rows.values[:, index].tolist()]
            for index, threshold in self._thresholds
        ]
