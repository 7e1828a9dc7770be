"""The training molecule that is most like a new one: looked for once, for all stages that ask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exlm_chem.features.tanimoto import NearestRows
from exlm_chem.prediction.stages.stage import Molecules
from exlm_chem.predictors.training_molecules import FINGERPRINT, TrainingMolecules


def nearest_by_fingerprint(training: TrainingMolecules, molecules: Molecules) -> NearestRows:
    """Find the most similar training molecules: their rows, -1 for none, and the similarities; once for all stages."""

    def search() -> NearestRows:
        places, similarities = training.index.nearest(molecules.features(FINGERPRINT))
        return rows_of(places, training.fingerprint_rows), similarities

    found: NearestRows = molecules.once(("nearest", id(training)), search)
    return found


def rows_of(places: NDArray[np.int64], kept: NDArray[np.int32]) -> NDArray[np.int64]:
    """Give the training molecules that stand at some places of those that were kept; -1 stays."""
    return np.array([kept[place] if place >= 0 else -1 for place in places], np.int64)
