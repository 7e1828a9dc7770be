"""How much the members of an ensemble differ."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.stage import Column, Rows, Stage, cells


class SpreadStage(Stage):
    """The standard deviation of what the members say, each counted as much as in their mean.

    Parameters
    ----------
    units : dict of str to str
        The unit of every column of the predictor.
    shares : array of shape (members, columns)
        How much each member counts; see `exlm_chem.heads.head.Head.member_shares`.

    Examples
    --------
    >>> from exlm_chem.prediction.stages.stage import Molecules
    >>> rows = Rows(Molecules(["C"]), np.array([[2.0]]), members=np.array([[[1.0]], [[3.0]]]))
    >>> SpreadStage({"esol": "log10(mol/L)"}, np.array([[0.5], [0.5]])).compute(rows)
    [[1.0]]
    """

    asks_members: ClassVar[bool] = True

    def __init__(self, units: dict[str, str], shares: NDArray[Any]) -> None:
        self._shares = shares[:, None]
        self.columns = [
            Column(f"{name}_spread", f"Standard deviation of {name} over the members of the predictor.", unit)
            for name, unit in units.items()
        ]

    @classmethod
    def make(cls, background: Background, _settings: StageSettings) -> Self | None:
        """Make it for a predictor that has several members."""
        shares = background.shares
        if shares is None or len(shares) < 2:
            return None
        return cls({column.name: column.unit for column in background.columns}, shares)

    def compute(self, rows: Rows) -> list[list[Any]]:
        """See `Stage`."""
        if rows.members is None:
            return [[None] * len(rows.molecules) for _ in self.columns]
        said = np.asarray(rows.members, np.float64)
        mean = (self._shares * said).sum(0)
        return [cells(column) for column in np.sqrt((self._shares * (said - mean) ** 2).sum(0)).T]
