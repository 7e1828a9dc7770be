"""Which atoms a prediction comes from: a picture for each molecule, and how far two opinions agree."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from exlm_chem.errors import ExLMError
from exlm_chem.prediction.explanation.attribution import MOST_ATOMS, Attribution, ExplainedModel, agreement, normalised
from exlm_chem.prediction.explanation.gradients import IntegratedGradients
from exlm_chem.prediction.explanation.occlusion import Occlusion
from exlm_chem.prediction.explanation.picture import picture
from exlm_chem.prediction.stages.background import Background, NotKeptError, StageSettings
from exlm_chem.prediction.stages.stage import Column, Rows, Stage, cells
from exlm_chem.storage import write_text

OPINIONS: Final[tuple[Attribution, ...]] = (Occlusion(), IntegratedGradients())


class ExplanationStage(Stage):
    """Draws every molecule with its atoms coloured by what they contribute.

    Parameters
    ----------
    names : sequence of str
        The columns of the predictor.
    model : ExplainedModel
        How it comes to its numbers.
    folder : path
        Where the pictures go; made if it is not there.
    """

    def __init__(self, names: list[str], model: ExplainedModel, folder: str | Path) -> None:
        self._names, self._model, self._folder = names, model, Path(folder)
        first, second = OPINIONS
        self.columns = []
        for name in names:
            self.columns += [
                Column(
                    f"{name}_explained",
                    f"Picture in {self._folder.name} of what every atom contributes to {name}: blue raises it, red "
                    f"lowers it, by two opinions ({first.name}, {second.name}). Empty beyond {MOST_ATOMS} atoms.",
                    type=str,
                ),
                Column(
                    f"{name}_agreement",
                    "Correlation of the two opinions over the atoms; believe neither picture if it is low.",
                    "-1 to 1",
                ),
            ]

    @classmethod
    def make(cls, background: Background, settings: StageSettings) -> Self:
        """Make it for a predictor whose encoder reads SMILES."""
        if settings.folder is None:
            raise NotKeptError("the columns 'explanation' need a folder for their pictures; use --explain DIR")
        if background.explained is None:
            raise NotKeptError(f"'{background.name}' cannot be explained: its head reads no vectors of an encoder")
        if background.explained.encoder.tokenizer.scheme == "selfies":
            raise NotKeptError(f"'{background.name}' cannot be explained: its tokens are not those of SMILES")
        try:
            Path(settings.folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExLMError(f"{settings.folder} cannot be made: {error.strerror}; choose another folder") from None
        return cls([column.name for column in background.columns], background.explained, settings.folder)

    def compute(self, rows: Rows) -> list[list[Any]]:
        """See `Stage`."""
        known: dict[tuple[str, bytes], list[Any]] = {}
        answers = []
        molecules, beside = rows.molecules, np.empty((len(rows.molecules), 0), np.float32)
        if self._model.beside is not None:
            beside = molecules.known(self._model.beside)
        for text, molecule, values, own in zip(molecules.texts, molecules.parsed, rows.values, beside, strict=True):
            if molecule is None or np.isnan(values).all() or molecule.GetNumAtoms() > MOST_ATOMS:
                answers.append([None] * len(self.columns))
                continue
            key = text, own.tobytes()
            if key not in known:
                known[key] = self._explain(text, values.tolist(), own)
            answers.append(known[key])
        return [[row[index] for row in answers] for index in range(len(self.columns))]

    def _explain(self, text: str, values: list[float], beside: NDArray[np.float32]) -> list[Any]:
        model = self._model.at(beside) if len(beside) else self._model
        _, atoms = model.tokens(text)
        with rdBase.BlockLogs():
            molecule = Chem.MolFromSmiles(text)
        if int(atoms.max(initial=-1)) + 1 != molecule.GetNumAtoms():  # RDKit takes hydrogens of the text as no atoms
            return [None] * len(self.columns)
        opinions = [one.contributions(model, text) for one in OPINIONS]
        agreed = cells(agreement(*opinions), digits=3)
        told: list[Any] = []
        for column, name in enumerate(self._names):
            file = f"{name}-{hashlib.sha256(text.encode() + beside.tobytes()).hexdigest()[:16]}.svg"
            legends = [OPINIONS[0].name, OPINIONS[1].name]
            legends[0] = f"{name} {values[column]:z.3g}: {legends[0]}"
            if agreed[column] is not None:
                legends[1] += f" (agreement {agreed[column]:.2f})"
            weights = [normalised(one)[:, column] for one in opinions]
            write_text(self._folder / file, picture(molecule, weights, legends))
            told += [file, agreed[column]]
        return told
