"""What is known of molecules like this one: is it in the domain of the training part, and what is its neighbour."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.features.tanimoto import NearestRows
from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.stage import Column, Molecules, Rows, Stage, cells
from exlm_chem.predictors.chemistry import without_stereo
from exlm_chem.predictors.training_molecules import FINGERPRINT, SHARE_INSIDE, TrainingMolecules


def nearest_by_fingerprint(training: TrainingMolecules, molecules: Molecules) -> NearestRows:
    """Find the most similar training molecules: their rows, -1 for none, and the similarities; once for all stages."""

    def search() -> NearestRows:
        places, similarities = training.index.nearest(molecules.features(FINGERPRINT))
        return _rows_of(places, training.fingerprint_rows), similarities

    found: NearestRows = molecules.once(("nearest", id(training)), search)
    return found


def _rows_of(places: NDArray[np.int64], kept: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.array([kept[place] if place >= 0 else -1 for place in places], np.int64)


class DomainStage(Stage):
    """Whether the training molecules can say anything about a molecule, and what of it is new to them.

    Parameters
    ----------
    name : str
        Name of the predictor.
    training : TrainingMolecules
        What was kept of its training part.

    Examples
    --------
    >>> kept = TrainingMolecules.collect(["CCCO", "CCCCO"], np.zeros((2, 1)), np.zeros((2, 1)))
    >>> stage = DomainStage("sol", kept)
    >>> stage.compute(Rows(Molecules(["CCCO", "BrBr", None]), np.zeros((3, 1))))
    [[True, False, None], ['yes', 'no', None], ['', 'element Br; 2 heavy atoms', None]]
    """

    def __init__(self, name: str, training: TrainingMolecules) -> None:
        self._training = training
        seen = training.chemistry
        charges = ", ".join(f"{charge:+d}" if charge else "0" for charge in seen.charges)
        self.columns = [
            Column(
                f"{name}_in_domain",
                f"True if the nearest training molecule has a similarity of {training.least_similarity:.2f} at least "
                f"(Tanimoto of count-ECFP4), as {SHARE_INSIDE:.0%} of the training molecules have to another one, and "
                "if no element and no charge is new.",
                type=bool,
            ),
            Column(
                f"{name}_in_training",
                "yes if this molecule was trained on, stereo if one with the same bonds and another stereo was, "
                "no otherwise.",
                type=str,
            ),
            Column(
                f"{name}_unseen",
                f"What no training molecule has. They have {seen.fewest_atoms} to {seen.most_atoms} heavy atoms, "
                f"the elements {', '.join(seen.elements)} and the charges {charges}.",
                type=str,
            ),
        ]

    @classmethod
    def make(cls, background: Background, _settings: StageSettings) -> Self:
        """Make it for a predictor that keeps its training molecules."""
        return cls(background.name, background.need_training("domain"))

    def compute(self, rows: Rows) -> list[list[Any]]:
        """See `Stage`."""
        _, similarities = nearest_by_fingerprint(self._training, rows.molecules)
        inside: list[Any] = []
        new: list[Any] = []
        for molecule, similarity in zip(rows.molecules.parsed, similarities.tolist(), strict=True):
            if molecule is None:
                inside.append(None)
                new.append(None)
                continue
            unseen = self._training.chemistry.unseen(molecule)
            new.append("; ".join(unseen))
            strange = any(one.startswith(("element", "charge")) for one in unseen)
            inside.append(similarity >= self._training.least_similarity and not strange)
        known = [self._known(*one) for one in zip(rows.molecules.texts, rows.molecules.parsed, strict=True)]
        return [inside, known, new]

    def _known(self, text: str, molecule: Any) -> str | None:
        if not text:
            return None
        if text in self._training.known_texts:
            return "yes"
        flat = text if molecule is None else without_stereo(text, molecule)
        return "stereo" if flat in self._training.known_connections else "no"


class NeighbourStage(Stage):
    """The nearest training molecules, by structure and by the encoder's vectors, and what was measured for them.

    Parameters
    ----------
    background : Background
        The predictor; without the block of its encoder, or without vectors, neighbours are those by structure alone.

    Examples
    --------
    >>> from exlm_chem.predictors.task import OutputColumn
    >>> kept = TrainingMolecules.collect(["CCCO", "c1ccccc1"], np.array([[0.3], [-2.0]]), np.zeros((2, 1)))
    >>> stage = NeighbourStage(Background("sol", "regression", (OutputColumn("sol", "s"),), kept))
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
                    Column(f"{one.name}_{way}", f"{one.target} as it was measured for {words}.", _unit_of(one.unit))
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
            columns += self._told(_rows_of(places, self._training.vector_rows), cosines)
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
