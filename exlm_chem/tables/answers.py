"""What there is to say about some molecules, and who has read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.smiles.molecule import Molecule
from exlm_chem.terms import Standardise


@dataclass(frozen=True, slots=True)
class Reading:
    """The molecules of a chunk, as somebody has read them.

    Attributes
    ----------
    reader : str
        Who: the name of a predictor, for instance.
    standardise : {"none", "fragment", "parent"}
        The rule.
    molecules : list of Molecule
        One for each row.
    """

    reader: str
    standardise: Standardise
    molecules: list[Molecule]


@dataclass(frozen=True, slots=True)
class Answers:
    """What there is to say about the molecules of a chunk.

    Attributes
    ----------
    values : array of shape (rows, columns)
        Numbers; NaN in a row without an answer.
    readings : list of Reading
        At least one. A row without an answer has the reason in one of them.
    cells : sequence of sequences
        What stands behind the numbers, column by column; None where there is nothing.
    """

    values: NDArray[np.float32]
    readings: list[Reading]
    cells: Sequence[Sequence[Any]] = ()

    def errors(self, row: int) -> list[str]:
        """Give the reasons why a row has no answer, each with its reader's name unless all say the same."""
        errors = [(reading.reader, reading.molecules[row].error) for reading in self.readings]
        first = errors[0][1]
        if all(error == first for _, error in errors):
            return [] if first is None else [first]
        return [f"{reader}: {error}" for reader, error in errors if error is not None]

    def notes(self, row: int) -> list[str]:
        """Give what was noted about the molecule of a row."""
        notes = dict.fromkeys(reading.molecules[row].note for reading in self.readings)
        return [note for note in notes if note is not None]

    def used(self, row: int, rule: Standardise) -> str | None:
        """Give the molecule that a rule made of a row's, if it is another one."""
        for reading in self.readings:
            if reading.standardise == rule and reading.molecules[row].changed:
                return reading.molecules[row].smiles or None
        return None
