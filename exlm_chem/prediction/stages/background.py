"""What a stage may know about the predictor whose columns it explains, and what the user chose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.features.block import MoleculeBlock
from exlm_chem.predictors.task import OutputColumn
from exlm_chem.predictors.training_molecules import TrainingMolecules
from exlm_chem.terms import AlertList, ConformalRule, Kind

if TYPE_CHECKING:  # torch
    from exlm_chem.prediction.explanation.attribution import ExplainedModel


class NotKeptError(ExLMError):
    """A stage needs something that the predictor does not have."""


@dataclass(frozen=True)
class Background:
    """A predictor, as far as stages need it.

    Examples
    --------
    >>> Background("bbbp", "classification", (OutputColumn("bbbp", "p_np"),)).training() is None
    True
    """

    name: str
    """Name of the predictor, the first word of its columns."""
    kind: Kind
    """Probabilities or numbers."""
    columns: Sequence[OutputColumn]
    """What it predicts."""
    training: Callable[[], TrainingMolecules | None] = lambda: None
    """Reads what was kept of the training part, when a column needs it."""
    vectors: MoleculeBlock | None = None
    """The block of its encoder."""
    explained: ExplainedModel | None = None
    """How it comes from a molecule to its numbers."""
    shares: NDArray[Any] | None = None
    """How much each head that it has the mean of counts, shape (heads, columns)."""
    predict: Callable[[Sequence[str]], NDArray[Any]] | None = None
    """Predicts the molecules of some texts, shape (molecules, columns)."""

    def need_training(self, stage: str) -> TrainingMolecules:
        """Give what was kept of the training part, or say that it is missing."""
        training = self.training()
        if training is None:
            raise NotKeptError(
                f"'{self.name}' keeps no training molecules, which the columns '{stage}' need; train it again with "
                "this version"
            )
        return training


@dataclass(frozen=True)
class StageSettings:
    """What the user chose about the columns.

    Examples
    --------
    >>> StageSettings().coverage
    0.9
    """

    coverage: float = 0.9
    """Of intervals and sets."""
    conformal: ConformalRule = "class"
    """What the coverage of sets is stated for."""
    alerts: tuple[AlertList, ...] = ("pains", "brenk")
    """The lists of structural alerts."""
    folder: str | None = None
    """Where the pictures of explanations go."""
    reference: Sequence[str] | None = None
    """Molecules that the percentile refers to; the training molecules by default."""
    reference_name: str = ""
    """What they are, in a few words."""
    reference_notes: Sequence[str] = ()
    """What was guessed about their file."""
