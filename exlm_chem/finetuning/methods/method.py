"""What every method of training gets, gives, and says of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.features.compute import Features
from exlm_chem.finetuning.dataset import Dataset
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.splits import Split
from exlm_chem.finetuning.weights import counted_labels
from exlm_chem.heads.head import Head
from exlm_chem.predictors.task_file import PredictorTask
from exlm_chem.terms import BackendName

Report = Callable[[float, str], None]
"""Is told the share of the work that is done, and what is to be said about it."""


@dataclass(frozen=True)
class Material:
    """What a predictor is made from.

    Attributes
    ----------
    encoder : ExLM
        The pretrained encoder; no method changes it in place.
    vectors : float32 array of shape (molecules, width)
        What it makes of the molecules of the dataset.
    features : dict
        The blocks that the options name, of the molecules of the dataset.
    dataset : Dataset
        Molecules and labels.
    split : Split
        Which of them may be learnt from, and which decide.
    task : PredictorTask
        What is predicted.
    options : FinetuningOptions
    weights : array of shape (molecules, columns) or None
        How much each label counts; None where all count the same.
    """

    encoder: ExLM
    vectors: NDArray[np.float32]
    features: Features
    dataset: Dataset
    split: Split
    task: PredictorTask
    options: FinetuningOptions
    weights: NDArray[np.float64] | None = None

    def rows(self, rows: NDArray[np.int64]) -> Features:
        """Take the blocks of some of the molecules."""
        return {name: values[rows] for name, values in self.features.items()}

    def groups(self, rows: NDArray[np.int64]) -> list[str]:
        """Take what these molecules must not share with others of another fold."""
        return [self.split.groups[row] for row in rows]

    def labels(
        self, rows: NDArray[np.int64], columns: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, NDArray[Any]]:
        """Take labels (NaN where unknown, or of no weight), weights and bounds of some molecules and columns."""
        places = np.ix_(rows, np.arange(self.dataset.labels.shape[1]) if columns is None else columns)
        labels, bounds = self.dataset.labels[places], self.dataset.bounds[places]
        weights = None if self.weights is None else self.weights[places]
        return counted_labels(labels, weights), weights, bounds


@dataclass(frozen=True)
class Fitted:
    """What a method makes of it.

    Attributes
    ----------
    encoder : ExLM
        The one that it was given, or a new one.
    vectors : float32 array of shape (molecules, width)
        What this encoder makes of the molecules of the dataset.
    head : Head
        From features to properties.
    facts : dict
        How it was trained, for ``run.json``.
    said : list of str
        What a user should know.
    """

    encoder: ExLM
    vectors: NDArray[np.float32]
    head: Head
    facts: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


class TrainingMethod(ABC):
    """A way of training.

    Attributes
    ----------
    description : str
        What is trained, for the card of the predictor.
    backend : str
        What the encoder runs on: torch where it is trained.
    """

    description: ClassVar[str]
    backend: ClassVar[BackendName] = "auto"

    def check(  # noqa: B027  (most methods learn from anything)
        self, dataset: Dataset, split: Split, weights: NDArray[np.float64] | None = None
    ) -> None:
        """Refuse, before work begins, what this method cannot learn from; labels of weight 0 are none."""

    @abstractmethod
    def train(self, material: Material, seed: int, report: Report) -> Fitted:
        """Train on the training part; the validation part may decide, the test part is not looked at.

        Parameters
        ----------
        material : Material
            What is learnt from.
        seed : int
            Decides everything that is drawn.
        report : callable
            See `Report`.

        Raises
        ------
        ExLMError
            In one sentence, if it cannot be learnt.
        """

    @abstractmethod
    def combine(self, material: Material, fitted: Sequence[Fitted]) -> Fitted:
        """Make one of what several seeds gave; its facts say how."""

    def out_of_fold(self, material: Material, head: Head, seed: int) -> NDArray[Any]:  # noqa: ARG002  (for others)
        """Predict training molecules by models that have not seen them, where that is no second training for hours.

        Parameters
        ----------
        material : Material
            What was learnt from.
        head : Head
            What was learnt.
        seed : int
            With which it was trained.

        Returns
        -------
        array of shape (molecules, columns)
            Of all molecules of the dataset; NaN for those that were not predicted, here for all.
        """
        return np.full(material.dataset.labels.shape, np.nan)
