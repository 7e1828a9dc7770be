"""What a run learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

from exlm_chem.base_tokenizer import Tokenizer
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.objective_values import ObjectiveValues
from exlm_chem.terms import MoleculeObjective

COMPUTED: Final = frozenset(get_args(MoleculeObjective))


@dataclass(frozen=True)
class TrainingData:
    """Molecules, how they become tokens, and what their embedding must predict.

    Attributes
    ----------
    corpus : Corpus
    tokenizer : Tokenizer
        The one that the corpus was made with.
    objective_values : sequence of ObjectiveValues
        One for each molecule-level objective.
    """

    corpus: Corpus
    tokenizer: Tokenizer
    objective_values: Sequence[ObjectiveValues] = ()

    @property
    def label_baselines(self) -> dict[str, float]:
        """What the loss is divided by, for every objective that is a table of labels."""
        return {values.name: values.baseline for values in self.objective_values if values.name not in COMPUTED}

    @property
    def objective_sizes(self) -> dict[str, int]:
        """How many numbers each molecule-level objective has."""
        return {values.name: len(values.names) for values in self.objective_values}
