"""A whole fine-tuning run: table, split, training, judgement, predictor directory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem import model_directory
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.features.compute import compute_blocks
from exlm_chem.features.registry import block_spec, make_blocks
from exlm_chem.finetuning.checks import check_labels, check_places
from exlm_chem.finetuning.dataset import Dataset, read_dataset
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.messages import Log, log_metrics, log_split, log_table
from exlm_chem.finetuning.methods.method import Fitted, Material, Report
from exlm_chem.finetuning.methods.registry import METHODS
from exlm_chem.finetuning.metrics import MAIN_METRIC, evaluate
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.saving import write_run
from exlm_chem.finetuning.splits import Split, Splittable, make_split, parse_split
from exlm_chem.heads.registry import make_head
from exlm_chem.machine import versions
from exlm_chem.predictors.registry import task_for_file
from exlm_chem.predictors.task import Task, task_of_targets
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
        For every seed, its metrics and how it was trained; the first with the best validation is in `directory`.
    """

    directory: Path
    task: PredictorTask
    runs: list[dict[str, Any]]


@dataclass(frozen=True)
class _Run:
    """What one seed gave."""

    fitted: Fitted
    outputs: NDArray[np.float32]
    facts: dict[str, Any]


def finetune(
    data: str | Path,
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
    data : path
        A table with a column of SMILES and columns of labels; an empty cell is a label that is not known.
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
    data, output = Path(data), Path(output)
    rule = parse_split(options.split)
    check_places(data, output, rule)
    make_head(options.head)  # there is such a one, which is said before work begins
    task = _named_task(options, task, data, reading)
    if task is not None:
        labels = _labels_of(task, labels)
    encoder = ExLM.from_pretrained(options.model, options.device)
    targets = options.targets if task is None else task.targets
    read = partial(encoder.read, standardise=options.standardise)
    dataset = read_dataset(data, targets, read, reading, labels, rule.column)
    if task is None:
        positive = {column.name: next(iter(column.classes), "1") for column in dataset.columns}
        task = task_of_targets(output.absolute().name, targets, dataset.kind, positive)
    log_table(dataset, dataset.report(), log)
    molecules = _splittable(dataset)
    split = make_split(options.split, molecules, options.seed)
    log_split(split, molecules, log)
    METHODS[options.method].check(dataset, split)
    check_labels(dataset, split, log)
    described = _described(task, dataset, split, options)
    vectors = encoder.embed_tokens([one.token_ids for one in dataset.inputs], options.pooling)
    blocks = make_blocks(options.features, encoder, options.pooling)
    features = compute_blocks(dataset.smiles, [block for block in blocks if block.name != "exlm"])
    features |= {"exlm": vectors} if "exlm" in options.features else {}
    features = {name: features[name] for name in options.features}
    described = replace(described, features=tuple(map(block_spec, blocks)))
    material = Material(encoder, vectors, features, dataset, split, described, options)
    runs = [_train(material, options.seed + index, log, report) for index in range(options.seeds)]
    best = _best(runs, MAIN_METRIC[task.kind])
    for part in ("valid", "test"):
        results = [run.facts["metrics"][part] for run in runs]
        log_metrics(part, results, best.facts["metrics"][part], MAIN_METRIC[task.kind], log)
    described = replace(described, metrics={"seeds": options.seeds, **best.facts["metrics"]})
    model = model_directory.find_model(options.model)
    facts = {
        "started": started,
        "finished": time.time(),
        **_facts(dataset, task, material, labels, model.resolve().name),
        "seed": best.facts["seed"],
        "runs": [run.facts for run in runs],
        "versions": versions(),
    }
    frozen = model_directory.encoder_directory(model) if best.fitted.encoder is encoder else None
    kept = _kept(material, best) if options.keep_training else None
    written = write_run(output, described, best.fitted, frozen, material, kept, facts)
    return Result(output, written, [run.facts for run in runs])


def _named_task(
    options: FinetuningOptions, own: Task | None, data: Path, reading: ReadOptions | str | None
) -> Task | None:
    """Give the task that is wanted, if it is not to be made from columns of labels."""
    if (own is not None) + (options.task is not None) + bool(options.targets) != 1:
        raise ExLMError("give either a task (--task) or the columns of the labels (--target)")
    wanted = own if options.task is None else options.task
    return None if wanted is None else task_for_file(wanted, data, reading)


def _labels_of(task: Task, labels: LabelOptions) -> LabelOptions:
    if labels.kind not in (None, task.kind):
        raise ExLMError(f"task {quoted(task.name)} is a {task.kind}; leave --kind {labels.kind} away")
    return replace(labels, kind=task.kind)


def _splittable(dataset: Dataset) -> Splittable:
    return Splittable(
        dataset.smiles,
        dataset.labels,
        dataset.split_cells,
        rows=dataset.rows,
        lines=dataset.lines,
        table_rows=len(dataset) + len(dataset.left_out),
        name=dataset.name,
        sha256=dataset.sha256,
    )


def _described(task: Task, dataset: Dataset, split: Split, options: FinetuningOptions) -> PredictorTask:
    """Describe the predictor; a column without a range gets that of its training labels."""
    lowest, highest = (f(dataset.labels[split.train], axis=0) for f in (np.nanmin, np.nanmax))
    columns = [
        replace(column, range=column.range or (float(low), float(high)))
        for column, low, high in zip(task.columns, lowest, highest, strict=True)
    ]
    sizes = {name: len(part) for name, part in split.parts().items()}
    return PredictorTask(
        task.name,
        task.kind,
        tuple(columns),
        title=task.title,
        pooling=options.pooling,
        standardise=options.standardise,
        split={"name": split.name, "description": split.description, "molecules": sizes},
    )


def _train(material: Material, seed: int, log: Log, report: Report) -> _Run:
    """Train and judge with one seed."""
    started = time.monotonic()
    fitted = METHODS[material.options.method].train(material, seed, report)
    for sentence in fitted.said:
        log(sentence)
    task, labels = material.task, material.dataset.labels
    outputs = fitted.head.predict({**material.features, "exlm": fitted.vectors})
    names = [column.name for column in task.columns]
    metrics = {
        part: evaluate(outputs[members], labels[members], task.kind, names, seed)
        for part, members in (("valid", material.split.valid), ("test", material.split.test))
    }
    seconds = round(time.monotonic() - started, 2)
    return _Run(fitted, outputs, {"seed": seed, **fitted.facts, "metrics": metrics, "seconds": seconds})


def _kept(material: Material, run: _Run) -> TrainingMolecules:
    """Keep the molecules that the predictor was made from, each with what a model says that has not seen it."""
    dataset, split, seed = material.dataset, material.split, run.facts["seed"]
    held_out = METHODS[material.options.method].out_of_fold(material, seed)
    held_out[split.valid] = run.outputs[split.valid]
    rows = sorted([*split.train, *split.valid])
    texts = [dataset.inputs[row].molecule.smiles for row in rows]
    return TrainingMolecules.collect(texts, dataset.labels[rows], held_out[rows], run.fitted.vectors[rows], seed)


def _facts(dataset: Dataset, task: Task, material: Material, labels: LabelOptions, model: str) -> dict[str, Any]:
    """Say what went into a run; a directory that is shared says nothing of the folders of its maker."""
    options, file = material.options, Path(dataset.name).name
    return {
        "data": {"file": file, "sha256": dataset.sha256, "reading": dataset.reading, **dataset.report()},
        "labels": {column.name: {"kind": column.kind, "classes": column.classes} for column in dataset.columns},
        "source": task.source,
        "licence": task.licence,
        "model": model,
        "model_sha256": material.encoder.fingerprint,
        "method": options.method,
        "options": {**asdict(labels), **asdict(options), "model": model, "task": task.name},
        "device": str(material.encoder.device),
    }


def _best(runs: Sequence[_Run], metric: str) -> _Run:
    """Choose by the validation part, never by the test; the first of equals."""

    def badness(run: _Run) -> float:
        valid = run.facts["metrics"]["valid"]
        value = None if valid is None else valid[metric]
        return np.inf if value is None else -value if metric == "roc_auc" else value

    return min(runs, key=badness)
