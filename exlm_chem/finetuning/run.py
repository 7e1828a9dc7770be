"""A whole fine-tuning run: table, split, training, judgement, predictor directory."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from exlm_chem import model_directory
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.dataset import Dataset, read_dataset
from exlm_chem.finetuning.full import Report, TrainingOptions, best_epoch, train_full
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.messages import Log, log_metrics, log_table
from exlm_chem.finetuning.metrics import MAIN_METRIC, evaluate
from exlm_chem.finetuning.saving import write_run
from exlm_chem.finetuning.splits import Split, Splittable, across_borders, make_split, parse_split
from exlm_chem.heads.head import PropertyHead
from exlm_chem.heads.linear import fit_linear_head
from exlm_chem.machine import versions
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.predictors.registry import task_for_file
from exlm_chem.predictors.task import Task, task_of_targets
from exlm_chem.predictors.task_file import PredictorTask
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.terms import Method, Pooling, Standardise


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

    encoder: ExLM
    head: PropertyHead
    facts: dict[str, Any]


def finetune(
    data: str | Path,
    output: str | Path,
    *,
    task: str | Task | None = None,
    targets: Sequence[str] = (),
    labels: LabelOptions | None = None,
    model: str | Path = "exlm-small",
    method: Method = "head",
    split: str = "scaffold",
    pooling: Pooling = "mean",
    standardise: Standardise = "none",
    seeds: int = 1,
    seed: int = 0,
    options: TrainingOptions | None = None,
    reading: ReadOptions | str | None = None,
    device: str = "auto",
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
    task : str or Task, optional
        A task of the registry, or one of your own. Either this or `targets`.
    targets : sequence of str, optional
        The columns of the labels.
    labels : LabelOptions, optional
        How the labels are read, where that shall not be found out.
    model : str or Path
        The encoder; see `exlm_chem.model_directory.find_model`.
    method : {"head", "full"}
        Linear models on the vectors of the encoder as it is (seconds), or encoder and head trained together.
    split : str
        See `exlm_chem.finetuning.splits.parse_split`: "scaffold" (DeepChem's), "random", "stratified", "butina",
        "group:COLUMN", "date:COLUMN", a column of the table that says train, valid or test, or a file of row numbers.
    pooling : {"mean", "first"}
        See `ExLM.embed`.
    standardise : {"none", "fragment", "parent"}
        What is done to every molecule first, now and in prediction; see `read_molecule`.
    seeds, seed : int
        How often to train, with the seeds `seed`, `seed` + 1, ...; the best on the validation part is kept.
    options : TrainingOptions, optional
        For method "full".
    reading : ReadOptions or str, optional
        How the table is read, where that shall not be found out; a text is the name of the SMILES column.
    device : str
        A torch device, or "auto".
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
    output = Path(output)
    _check_arguments(output, task, targets, method, seeds)
    registered = None if task is None else task_for_file(task, data, reading)
    wanted = list(registered.targets if registered is not None else targets)
    embedder = ExLM.from_pretrained(model, device)
    labels = labels or LabelOptions()
    if registered is not None:
        if labels.kind not in (None, registered.kind):
            raise ExLMError(f"task {quoted(registered.name)} is a {registered.kind}; leave --kind {labels.kind} away")
        labels = replace(labels, kind=registered.kind)
    dataset = read_dataset(
        data,
        wanted,
        lambda text: embedder.read(text, standardise),
        reading,
        labels,
        parse_split(split).column,
    )
    if registered is None:
        positive = {column.name: next(iter(column.classes), "1") for column in dataset.columns}
        registered = task_of_targets(output.absolute().name, wanted, dataset.kind, positive)
    counts = dataset.report()
    log_table(dataset, counts, log)
    parts = _split(dataset, split, seed, log)
    registered = _with_ranges(registered, dataset, parts)
    description = PredictorTask(
        registered.name,
        registered.kind,
        registered.columns,
        title=registered.title,
        pooling=pooling,
        standardise=standardise,
        split={
            "name": parts.name,
            "description": parts.description,
            "molecules": {name: len(part) for name, part in parts.parts().items()},
        },
    )

    vectors = embedder.embed_tokens([one.token_ids for one in dataset.inputs], pooling)
    runs = [
        _train(embedder, vectors, dataset, parts, description, method, options, one, log, report)
        for one in range(seed, seed + seeds)
    ]
    main = MAIN_METRIC[registered.kind]
    best = _best(runs, main)
    for name in ("valid", "test"):
        log_metrics(name, [run.facts["metrics"][name] for run in runs], best.facts["metrics"][name], main, log)
    description = replace(description, metrics={"seeds": seeds, **best.facts["metrics"]})
    facts = {
        "started": started,
        "finished": time.time(),
        "data": {"file": Path(data).name, "sha256": dataset.sha256, "reading": dataset.reading, **counts},
        "labels": {column.name: {"kind": column.kind, "classes": column.classes} for column in dataset.columns},
        "source": registered.source,
        "licence": registered.licence,
        "model": model_directory.find_model(model).resolve().name,
        "model_sha256": embedder.fingerprint,
        "method": method,
        "options": asdict(options or TrainingOptions()) if method == "full" else {},
        "seed": best.facts["seed"],
        "device": str(embedder.device),
        "runs": [run.facts for run in runs],
        "versions": versions(),
    }
    frozen = model_directory.encoder_directory(model_directory.find_model(model)) if method == "head" else None
    written = write_run(output, description, best.head, best.encoder, frozen, dataset, parts, facts)
    return Result(output, written, [run.facts for run in runs])


def _check_arguments(output: Path, task: str | Task | None, targets: Sequence[str], method: str, seeds: int) -> None:
    if (task is None) == (not targets):
        raise ExLMError("give either a task of the registry or the target columns")
    if method not in get_args(Method):
        raise ExLMError(f"method must be one of {', '.join(get_args(Method))}, not '{method}'")
    if seeds < 1:
        raise ExLMError(f"seeds must be at least 1, not {seeds}")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ExLMError(f"{output} exists already; choose another output directory")
    # A training may take hours: whether its result can be written is to be known before.
    folder = next(folder for folder in output.absolute().parents if folder.exists())
    if not os.access(folder, os.W_OK):
        raise ExLMError(f"nothing can be written into {folder}; choose another output directory")


def _split(dataset: Dataset, rule: str, seed: int, log: Log) -> Split:
    data = Splittable(
        dataset.smiles,
        dataset.labels,
        dataset.split_cells,
        rows=dataset.rows,
        lines=dataset.lines,
        table_rows=len(dataset) + len(dataset.left_out),
        name=dataset.name,
        sha256=dataset.sha256,
    )
    split = make_split(rule, data, seed)
    sizes = ", ".join(f"{len(part):,} {name}" for name, part in split.parts().items())
    log(f"split: {sizes} ({split.description})")
    if split.unplaced:
        first = data.row(split.unplaced[0]) + 1
        log(f"{len(split.unplaced):,} molecules are in no part of the split, the first in row {first}")
    if (borders := across_borders(split, data)).duplicates:
        log(str(borders))
    return split


def _with_ranges(task: Task, dataset: Dataset, split: Split) -> Task:
    """Fill in the range of the training labels where the task has none, and see that there are labels."""
    columns = []
    for column, labels in zip(task.columns, dataset.labels[split.train].T, strict=True):
        known = labels[~np.isnan(labels)]
        if not len(known):
            raise ExLMError(f"{dataset.name}: no label of '{column.target}' is known in the training part")
        columns.append(replace(column, range=column.range or (float(known.min()), float(known.max()))))
    return replace(task, columns=tuple(columns))


def _train(
    embedder: ExLM,
    vectors: NDArray[np.float32],
    dataset: Dataset,
    split: Split,
    task: PredictorTask,
    method: Method,
    options: TrainingOptions | None,
    seed: int,
    log: Log,
    report: Report,
) -> _Run:
    """Train and judge with one seed."""
    started = time.monotonic()
    groups = [split.groups[index] for index in split.train]
    head, strengths = fit_linear_head(vectors[split.train], dataset.labels[split.train], task.kind, groups, seed)
    names = [column.name for column in task.columns]
    for name, strength in zip(names, strengths, strict=True):
        if strength is None:
            log(f"all training labels of '{name}' are the same: its predictions are constant")
    facts: dict[str, Any] = {"seed": seed, "strengths": dict(zip(names, strengths, strict=True))}
    encoder = embedder
    if method == "full":
        ids = [one.token_ids for one in dataset.inputs]
        train, valid = (([ids[index] for index in part], dataset.labels[part]) for part in (split.train, split.valid))
        encoder, head, history = train_full(
            embedder, head, train, valid, task.kind, pooling=task.pooling, options=options, seed=seed, report=report
        )
        log(f"seed {seed}: epoch {best_epoch(history).epoch} of {len(history) - 1} is the best on the validation part")
        facts |= {"best_epoch": best_epoch(history).epoch, "history": [asdict(epoch) for epoch in history]}
        vectors = encoder.embed_tokens(ids, task.pooling)
    outputs = Predictor(task, head, encoder).head_outputs(vectors)
    facts["metrics"] = {
        name: evaluate(outputs[part], dataset.labels[part], task.kind, names, seed)
        for name, part in (("valid", split.valid), ("test", split.test))
    }
    return _Run(encoder, head, {**facts, "seconds": round(time.monotonic() - started, 2)})


def _best(runs: Sequence[_Run], metric: str) -> _Run:
    """Choose by the validation part, never by the test; the first of equals."""

    def badness(run: _Run) -> float:
        valid = run.facts["metrics"]["valid"]
        value = None if valid is None else valid[metric]
        return np.inf if value is None else -value if metric == "roc_auc" else value

    return min(runs, key=badness)
