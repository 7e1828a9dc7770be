"""Whether the training molecules can say anything about a molecule, and what of it is new to them."""

from __future__ import annotations

import math
from typing import Any, Self

from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.nearest import nearest_by_fingerprint
from exlm_chem.prediction.stages.stage import Column, Rows, Stage
from exlm_chem.predictors.chemistry import without_stereo
from exlm_chem.predictors.training_molecules import SHARE_INSIDE, TrainingMolecules


class DomainStage(Stage):
    """Whether a molecule is like those that the predictor was trained on.

    Parameters
    ----------
    name : str
        Name of the predictor.
    training : TrainingMolecules
        What was kept of its training part.

    Examples
    --------
    >>> import numpy as np
    >>> from exlm_chem.prediction.stages.stage import Molecules
    >>> kept = TrainingMolecules.collect(["CCCO", "CCCCO"], np.zeros((2, 1)), np.zeros((2, 1)))
    >>> DomainStage("sol", kept).compute(Rows(Molecules(["CCCO", "BrBr", None]), np.zeros((3, 1))))
    [[True, False, None]]
    """

    def __init__(self, name: str, training: TrainingMolecules) -> None:
        self._training = training
        self.columns = [
            Column(
                f"{name}_in_domain",
                f"True if the nearest training molecule has a similarity of {training.least_similarity:.2f} at least "
                f"(Tanimoto of count-ECFP4), as {SHARE_INSIDE:.0%} of the training molecules have to another one, and "
                "if no element and no charge is new.",
                type=bool,
            )
        ]

    @classmethod
    def make(cls, background: Background, _settings: StageSettings) -> Self:
        """Make it for a predictor that keeps its training molecules."""
        return cls(background.name, background.need_training("domain"))

    def compute(self, rows: Rows) -> list[list[Any]]:
        """See `Stage`."""
        _, similarities = nearest_by_fingerprint(self._training, rows.molecules)
        molecules = rows.molecules
        return [
            [self._inside(*one) for one in zip(molecules.texts, molecules.graphs, similarities.tolist(), strict=True)]
        ]

    def _inside(self, text: str, molecule: Any, similarity: float) -> bool | None:
        if molecule is None or math.isnan(similarity):
            return None
        known = text in self._training.known_texts or not self._training.chemistry.unseen_kinds(molecule)
        return similarity >= self._training.least_similarity and known


class NoveltyStage(Stage):
    """Whether a molecule was trained on, and what of it no training molecule has.

    Parameters
    ----------
    name, training
        See `DomainStage`.

    Examples
    --------
    >>> import numpy as np
    >>> from exlm_chem.prediction.stages.stage import Molecules
    >>> kept = TrainingMolecules.collect(["CCCO", "CCCCO"], np.zeros((2, 1)), np.zeros((2, 1)))
    >>> NoveltyStage("sol", kept).compute(Rows(Molecules(["CCCO", "BrBr", None]), np.zeros((3, 1))))
    [['yes', 'no', None], ['', 'element Br; 2 heavy atoms', None]]
    """

    def __init__(self, name: str, training: TrainingMolecules) -> None:
        self._training = training
        seen = training.chemistry
        charges = ", ".join(f"{charge:+d}" if charge else "0" for charge in seen.charges)
        self.columns = [
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
        return cls(background.name, background.need_training("novelty"))

    def compute(self, rows: Rows) -> list[list[Any]]:
        """See `Stage`."""
        texts, graphs = rows.molecules.texts, rows.molecules.graphs
        unseen = self._training.unseen
        new = [None if one is None else "; ".join(unseen(text, one)) for text, one in zip(texts, graphs, strict=True)]
        return [[self._known(*one) for one in zip(texts, rows.molecules.parsed, strict=True)], new]

    def _known(self, text: str, molecule: Any) -> str | None:
        if not text:
            return None
        if text in self._training.known_texts:
            return "yes"
        flat = text if molecule is None else without_stereo(text, molecule)
        return "stereo" if flat in self._training.known_connections else "no"
