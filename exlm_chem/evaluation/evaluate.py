"""``evaluate``: how good a predictor is on a table of measured molecules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.evaluation.judgement import Reference, judge_column
from exlm_chem.evaluation.options import EvaluateOptions
from exlm_chem.features.compute import compute_blocks
from exlm_chem.finetuning.dataset import Dataset, read_dataset
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.metrics import MAIN_METRIC
from exlm_chem.locations import locate
from exlm_chem.predictors.predictor import Predictor, predict_all
from exlm_chem.predictors.training_molecules import FINGERPRINT, TrainingMolecules
from exlm_chem.storage import read_json
from exlm_chem.tables.read_options import ReadOptions

GROUPS: Final = {
    "new": "were not in its training table",
    "test": "were set aside to test it",
    "valid": "decided what was kept of its training",
    "train": "were learnt from: their numbers say nothing about other molecules",
    "unknown": "may have been learnt from: the predictor does not say",
}
"""What may be known of a molecule, and what that means."""


@dataclass(frozen=True)
class Judgement:
    """How good a predictor is.

    Attributes
    ----------
    predictor, kind : str
        Its name and what it gives.
    data : dict
        The table: its name, hash, and what was counted in it.
    groups : dict
        For every kind of molecules of `GROUPS` that occurs: how many there are, what that means, and for every
        column what `judge_column` says.
    notes : list of str
        What a user should know.
    """

    predictor: str
    kind: str
    data: dict[str, Any]
    groups: dict[str, dict[str, Any]]
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        """Give everything for programs."""
        return {**vars(self), "main_metric": MAIN_METRIC[self.kind]}  # type: ignore[index]


def evaluate_predictor(
    predictor: str | Path,
    data: str | Path,
    options: EvaluateOptions | None = None,
    labels: LabelOptions | None = None,
    reading: ReadOptions | str | None = None,
) -> Judgement:
    """Judge a predictor on measured molecules.

    Molecules that it was trained on are judged apart, as far as that is known: from the training molecules that it
    keeps, or from its ``splits.json`` if the table is the one that it was trained on.

    Parameters
    ----------
    predictor : str or Path
        A predictor that ships, or a directory.
    data : path
        A table with the columns of labels of the training, or those that the options name.
    options : EvaluateOptions, optional
        See there.
    labels : LabelOptions, optional
        How labels are read; see `read_dataset`.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.

    Raises
    ------
    ExLMError
        If the predictor or the table cannot be read, or they do not fit together.
    """
    options, labels = options or EvaluateOptions(), labels or LabelOptions()
    loaded = Predictor.from_pretrained(predictor, options.device)
    task = loaded.task
    targets = options.target or [column.target for column in task.columns]
    if len(targets) != len(task.columns):
        raise ExLMError(f"{quoted(task.name)} has {len(task.columns)} outputs; name so many columns with --target")
    if labels.kind not in (None, task.kind):
        raise ExLMError(f"{quoted(task.name)} is a {task.kind}; leave --kind {labels.kind} away")
    read = partial(loaded.encoder.read, standardise=task.standardise)
    beside = [column.name for column in task.extra_columns]
    transforms = [labels.transform or column.transform for column in task.columns]
    labels = replace(labels, kind=task.kind)
    dataset = read_dataset(data, list(targets), read, reading, labels, others=beside, transforms=transforms)
    labels_of = dataset.exact_labels
    prediction = predict_all([loaded], dataset.smiles, dataset.others)[0]
    outputs = prediction.values.astype(np.float64)
    reasons = [molecule.error for molecule in prediction.molecules]
    distances = None if loaded.training is None else _distances(dataset.smiles, loaded.training)
    origin = _origin(dataset, loaded.training, locate(predictor))
    groups = {}
    for name, meaning in GROUPS.items():
        members = [index for index, one in enumerate(origin) if one == name]
        if members:
            columns = {
                column.name: judge_column(
                    outputs[members, place],
                    labels_of[members, place],
                    task.kind,
                    column.threshold,
                    reference=_reference(loaded.training, place, options.coverage),
                    distances=None if distances is None else distances[members],
                    seed=options.seed,
                )
                for place, column in enumerate(task.columns)
            }
            groups[name] = {"molecules": len(members), "meaning": meaning, "columns": columns}
    table = {"name": Path(dataset.name).name, "sha256": dataset.sha256, **dataset.report(beside)}
    return Judgement(task.name, task.kind, table, groups, [*dataset.reading, *_notes(dataset, reasons, groups)])


def _origin(dataset: Dataset, training: TrainingMolecules | None, directory: Path) -> list[str]:
    """Say of every molecule to which group it belongs."""
    part_of = _parts(directory, dataset.sha256)
    if training is None and not part_of:
        return ["unknown"] * len(dataset)
    origin = [part_of.get(row, "new") for row in dataset.rows]
    known = frozenset[str]() if training is None else training.known_texts
    learnt = {text for text, one in zip(dataset.smiles, origin, strict=True) if one == "train"} if part_of else known

    def group_of(text: str, part: str) -> str:
        # what is kept and was not learnt from is of the validation part
        return "train" if text in learnt else "valid" if text in known else part

    return [group_of(text, one) for text, one in zip(dataset.smiles, origin, strict=True)]


def _parts(directory: Path, sha256: str) -> dict[int, str]:
    """Give the part of every row, if the predictor was trained on this very table."""
    path = directory / "splits.json"
    splits = read_json(path, "copy the directory again") if path.is_file() else {}
    if splits.get("data_sha256") != sha256:
        return {}
    return {row: part for part in ("test", "valid", "train") for row in splits.get(part, [])}


def _distances(smiles: list[str], training: TrainingMolecules) -> NDArray[np.float64]:
    """Give 1 less the Tanimoto similarity to the nearest training molecule."""
    fingerprints = compute_blocks(smiles, [FINGERPRINT])[FINGERPRINT.name]
    similarities = np.asarray(training.index.nearest(fingerprints)[1], dtype=np.float64)
    return 1 - np.nan_to_num(similarities, nan=0.0)


def _reference(training: TrainingMolecules | None, column: int, coverage: float) -> Reference | None:
    if training is None:
        return None
    labels, guesses = (one[:, column].astype(np.float64) for one in (training.values, training.out_of_fold))
    known = ~(np.isnan(labels) | np.isnan(guesses))
    return Reference(labels[known], guesses[known], coverage) if known.any() else None


def _notes(dataset: Dataset, reasons: Sequence[str | None], groups: dict[str, dict[str, Any]]) -> list[str]:
    notes = []
    if dataset.left_out:
        first = dataset.left_out[0]
        notes.append(f"{len(dataset.left_out):,} rows are left out, the first in line {first.line}: {first.reason}")
    if without := [(line, why) for line, why in zip(dataset.lines, reasons, strict=True) if why is not None]:
        line, why = without[0]
        notes.append(f"{len(without):,} rows get no prediction and are not judged, the first in line {line}: {why}")
    if limits := int(np.count_nonzero(dataset.bounds)):
        notes.append(f"{limits:,} labels are limits, which are not judged")
    doubtful = [name for name in ("train", "unknown") if name in groups]
    notes += [f"{groups[name]['molecules']:,} of {len(dataset):,} molecules {GROUPS[name]}" for name in doubtful]
    return notes
