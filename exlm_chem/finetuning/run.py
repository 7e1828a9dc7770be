"""A whole fine-tuning run: table, split, training, judgement, predictor directory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from exlm_chem import model_directory
from exlm_chem.finetuning.checks import check_files, check_places
from exlm_chem.finetuning.cross_validation import cross_validate
from exlm_chem.finetuning.held_out import finish
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.messages import Log, log_metrics
from exlm_chem.finetuning.methods.method import Material, Report
from exlm_chem.finetuning.metrics import MAIN_METRIC
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.preparation import Prepared, prepare
from exlm_chem.finetuning.saving import Records, write_run
from exlm_chem.finetuning.single_blocks import judge_blocks
from exlm_chem.finetuning.splits import parse_split
from exlm_chem.finetuning.trainings import Training, best_training, combine, predictions_of, train_seeds
from exlm_chem.heads.registry import make_head
from exlm_chem.machine import versions
from exlm_chem.predictors.task import Task
from exlm_chem.predictors.task_file import PredictorTask
from exlm_chem.predictors.training_molecules import TrainingMolecules
from exlm_chem.tables.read_options import ReadOptions


@dataclass(frozen=True)
class Result:
    """What fine-tuning gave.

    Attributes
    ----------
    directory : Path
        The predictor.
    task : PredictorTask
        What it predicts and how good it is.
    runs : list of dict
        For every seed, its metrics and how it was trained; the first with the best validation is in `directory`, or
        what was made of all.
    """

    directory: Path
    task: PredictorTask
    runs: list[dict[str, Any]]


def finetune(
    data: str | Path | Sequence[str | Path],
    output: str | Path,
    options: FinetuningOptions | None = None,
    *,
    task: Task | None = None,
    labels: LabelOptions | None = None,
    reading: ReadOptions | str | None = None,
    log: Log = lambda _: None,
    report: Report = lambda *_: None,
) -> Result:
    """Train a predictor on measured molecules.

    Parameters
    ----------
    data : path, or three of them
        A table with a column of SMILES and columns of labels; an empty cell is a label that is not known. Three are
        those of training, validation and test, instead of a split.
    output : path
        The predictor directory; there must be nothing yet.
    options : FinetuningOptions, optional
        What is learnt, and how.
    task : Task, optional
        A task of one's own, instead of the one that the options name.
    labels : LabelOptions, optional
        How the labels are read, where that shall not be found out.
    reading : ReadOptions or str, optional
        How the table is read, where that shall not be found out; a text is the name of the SMILES column.
    log : callable, optional
        Called with a sentence whenever there is something that a user should know.
    report : callable, optional
        Called with the share of a training that is done, and a word about it.

    Returns
    -------
    Result

    Raises
    ------
    ExLMError
        In one sentence; nothing is left in `output` then.
    """
    started = time.time()
    options, labels = options or FinetuningOptions(), labels or LabelOptions()
    files, output = [Path(one) for one in ([data] if isinstance(data, str | Path) else data)], Path(output)
    check_files(files, options)
    check_places(files, output, parse_split(options.split))
    for name in options.heads if options.method == "head" else ():
        make_head(name)  # there is such a one, which is said before work begins
    prepared = prepare(files, output.absolute().name, options, task, labels, reading, log)
    material, folds, task = prepared.material, prepared.folds, prepared.task
    validated = cross_validate(material, folds, log, report) if folds else None
    runs = train_seeds(material, log, report)
    kept_one = combine(material, runs) if options.ensemble else best_training(runs, material)
    best, held_out = finish(material, kept_one)
    runs = [best if run.facts is best.facts else run for run in runs]
    for part in ("valid", "test"):
        results = [run.facts["metrics"][part] for run in runs]
        log_metrics(part, results, best.facts["metrics"][part], MAIN_METRIC[task.kind], log)
    summary: dict[str, Any] = {"cross_validation": validated.summary} if validated else {}
    blocks = judge_blocks(material, best.fitted.head, best.facts["seed"])
    summary |= {"blocks": blocks} if blocks else {}
    described = replace(material.task, metrics={"seeds": options.seeds, **best.facts["metrics"], **summary})
    model = model_directory.find_model(options.model)
    facts = {
        "started": started,
        "finished": time.time(),
        **_facts(prepared, model.resolve().name),
        "seed": best.facts["seed"],
        "runs": [run.facts for run in runs],
        **({"ensemble": best.facts} if options.ensemble else {}),
        **({"cross_validation": {**validated.summary, "runs": validated.runs}} if validated else {}),
        "versions": versions(),
    }
    predictions = validated.predictions if validated else predictions_of(material, [best] if options.ensemble else runs)
    frozen = model_directory.encoder_directory(model) if best.fitted.encoder is material.encoder else None
    kept = _kept(material, best, held_out) if options.keep_training else None
    written = write_run(output, described, best.fitted, frozen, material, kept, Records(facts, predictions, folds))
    return Result(output, written, [run.facts for run in runs])


def _kept(material: Material, run: Training, held_out: NDArray[Any]) -> TrainingMolecules:
    """Keep the molecules that the predictor was made from, each with what a model says that has not seen it."""
    dataset, split = material.dataset, material.split
    held_out[split.valid] = run.outputs[split.valid]
    rows = sorted([*split.train, *split.valid])
    texts = [dataset.inputs[row].molecule.smiles for row in rows]
    vectors = run.fitted.vectors[rows]
    return TrainingMolecules.collect(texts, dataset.exact_labels[rows], held_out[rows], vectors, run.facts["seed"])


def _facts(prepared: Prepared, model: str) -> dict[str, Any]:
    """Say what went into a run; a directory that is shared says nothing of the folders of its maker."""
    material, task, labels = prepared.material, prepared.task, prepared.labels
    dataset, options = material.dataset, material.options
    file, counts = Path(dataset.name).name, dataset.report(options.extra_columns)
    return {
        "data": {"file": file, "sha256": dataset.sha256, "reading": dataset.reading, **counts},
        "labels": {column.name: {"kind": column.kind, "classes": column.classes} for column in dataset.columns},
        "source": task.source,
        "licence": task.licence,
        "model": model,
        "model_sha256": material.encoder.fingerprint,
        "method": options.method,
        "options": {
            **asdict(labels),
            **asdict(options),
            "features": options.blocks,
            "head": ",".join(options.heads),
            "model": model,
            "task": task.name,
        },
        "device": str(material.encoder.device),
    }
