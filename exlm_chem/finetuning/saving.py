"""How a fine-tuned predictor becomes a directory: the predictor itself, and everything about its training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exlm_chem import locations
from exlm_chem.finetuning.card import predictor_card
from exlm_chem.finetuning.dataset import Dataset
from exlm_chem.finetuning.methods.method import Fitted, Material
from exlm_chem.finetuning.predictions import PREDICTIONS_NAME, write_predictions
from exlm_chem.finetuning.splits import Split
from exlm_chem.model_directory import training_facts
from exlm_chem.predictors.directory import write_predictor
from exlm_chem.predictors.task_file import PredictorTask
from exlm_chem.predictors.training_file import add_training
from exlm_chem.predictors.training_molecules import TrainingMolecules
from exlm_chem.storage import write_directory, write_json, write_text

if TYPE_CHECKING:
    import pandas as pd

FOLDS_NAME: Final = "folds.json"
"""The folds of a cross-validation, as ``--split FILE`` takes them."""


@dataclass(frozen=True)
class Records:
    """What is known of a run.

    Attributes
    ----------
    facts : dict
        For ``run.json``.
    predictions : DataFrame
        For ``predictions.csv``.
    folds : list of Split
        Of a cross-validation, for ``folds.json``.
    """

    facts: dict[str, Any]
    predictions: pd.DataFrame
    folds: Sequence[Split] = ()


def write_run(
    output: Path,
    task: PredictorTask,
    fitted: Fitted,
    frozen: Path | None,
    material: Material,
    kept: TrainingMolecules | None,
    records: Records,
) -> PredictorTask:
    """Write a predictor directory, under another name first, so that it is there as a whole or not at all.

    Parameters
    ----------
    output : Path
        The directory; there is nothing there yet, or it is empty.
    task : PredictorTask
        What it predicts.
    fitted : Fitted
        Encoder and head.
    frozen : Path or None
        Where the encoder was read from, if it was not trained.
    material : Material
        What it was trained on.
    kept : TrainingMolecules or None
        What of it is kept in the directory.
    records : Records
        What is written of the run itself.

    Returns
    -------
    PredictorTask
        As it was written.
    """
    output, dataset, facts = output.absolute(), material.dataset, records.facts
    with write_directory(output) as working:
        # A predictor stands for itself, except among the models that ship, which share one encoder and are kept small.
        shared = frozen is not None and frozen.parent.resolve() == locations.SHIPPED == output.parent.resolve()
        task = write_predictor(working, task, fitted.head, frozen if frozen is not None and shared else fitted.encoder)
        if kept is not None:
            task = add_training(working, kept)
        facts["left_out_reasons"] = Counter(row.reason.partition(":")[0] for row in dataset.left_out)
        left_out = [asdict(row) for row in dataset.left_out]
        write_json(working / "splits.json", {**_rows(dataset, material.split), "left_out": left_out})
        if records.folds:
            write_json(working / FOLDS_NAME, [_rows(dataset, fold) for fold in records.folds])
        write_json(working / "run.json", facts)
        if not shared:
            write_json(working / "training.json", _training(facts, frozen))
            write_predictions(working / PREDICTIONS_NAME, records.predictions)
        write_text(working / "README.md", predictor_card(task, facts))
    return task


def _rows(dataset: Dataset, split: Split) -> dict[str, Any]:
    """Say which row of the table is in which part; ``--split FILE`` reads it."""
    return {
        "name": split.name,
        "description": split.description,
        "data_sha256": dataset.sha256,
        "rows": "rows of the table from 0, the header not counted",
        **{name: [dataset.rows[index] for index in part] for name, part in split.parts().items()},
    }


def _training(facts: dict[str, Any], frozen: Path | None) -> dict[str, Any]:
    """Say where the encoder in this directory comes from."""
    origin = {} if frozen is None else training_facts(frozen)
    keep = ("model", "model_sha256", "method", "versions")
    return {**origin, "finetuning": {key: facts[key] for key in keep}}
