"""The neighbours of a molecule among those that a predictor was trained on."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.nearest import nearest_by_fingerprint, rows_of
from exlm_chem.prediction.stages.stage import Column, Rows, Stage, cells
from exlm_chem.predictors.task import OutputColumn
from exlm_chem.predictors.transforms import described


class NeighbourStage(Stage):
    """The nearest training molecules, by structure and by the encoder's vectors, and what was measured for them.

    Parameters
    ----------
    background : Background
        The predictor; without the block of its encoder, or without vectors, neighbours are those by structure alone.

    Examples
    --------
    >>> from exlm_chem.predictors.task import OutputColumn
    >>> from exlm_chem.prediction.stages.stage import Molecules
    >>> from exlm_chem.predictors.training_molecules import TrainingMolecules
    >>> kept = TrainingMolecules.collect(["CCCO", "c1ccccc1"], np.array([[0.3], [-2.0]]), np.zeros((2, 1)))
    >>> stage = NeighbourStage(Background("sol", "regression", (OutputColumn("sol", "s"),), lambda: kept))
    >>> stage.compute(Rows(Molecules(["CCCCO"]), np.zeros((1, 1))))
    [['CCCO'], [0.57143], [0.3]]
    """

    def __init__(self, background: Background) -> None:
        name, training = background.name, background.need_training("neighbours")
        self._training = training
        self._block = background.vectors if len(training.vectors) else None
        ways = [("nearest", "the most similar training molecule by structure (Tanimoto of count-ECFP4)", "0 to 1")]
        if self._block is not None:
            kept = "" if len(training.vectors) == len(training) else f", of {len(training.vectors):,} that were kept"
            words = f"the training molecule whose vector is nearest (cosine around the mean of all{kept})"
            ways.append(("vector_nearest", words, "-1 to 1"))
        self.columns = []
        for way, words, unit in ways:
            self.columns += [
                Column(f"{name}_{way}_smiles", f"SMILES of {words}.", type=str),
                Column(f"{name}_{way}_similarity", f"How similar {words} is.", unit),
                *(
                    Column(f"{one.name}_{way}", f"{_measured(one)} for {words}.", _unit_of(one.unit))
                    for one in background.columns
                ),
            ]

    @classmethod
    def make(cls, background: Background, _settings: StageSettings) -> Self:
        """Make it for a predictor that keeps its training molecules."""
        return cls(background)

    def compute(self, rows: Rows) -> list[list[Any]]:
        """See `Stage`."""
        columns = self._told(*nearest_by_fingerprint(self._training, rows.molecules))
        if self._block is not None:
            places, cosines = self._training.nearest_by_vector(rows.molecules.features(self._block))
            columns += self._told(rows_of(places, self._training.vector_rows), cosines)
        return columns

    def _told(self, rows: NDArray[np.int64], similarities: NDArray[np.float64]) -> list[list[Any]]:
        texts = [self._training.texts[row] if row >= 0 else None for row in rows.tolist()]
        found = (rows >= 0)[:, None]
        training = self._training
        # the row -1 is the last molecule: it is taken and then left out, if there is any
        values = training.values[rows] if len(training) else np.empty((len(rows), training.values.shape[1]))
        measured = np.where(found, values, np.nan)
        return [texts, cells(similarities), *(cells(column) for column in measured.T)]


def _unit_of(unit: str) -> str:
    return "0 or 1" if unit == "probability" else unit


def _measured(output: OutputColumn) -> str:
    learnt = "" if output.transform == "none" else f"The {described(output.transform).words} of "
    return f"{learnt}{output.target} as it was measured"
