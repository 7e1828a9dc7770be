"""What is done before anything is trained: table, split and features become the material of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.features.block import FeatureBlock, RDKitBlock
from exlm_chem.features.columns import ColumnsBlock
from exlm_chem.features.compute import Features, compute_blocks
from exlm_chem.features.registry import block_spec, make_blocks
from exlm_chem.finetuning.checks import check_labels
from exlm_chem.finetuning.cross_validation import make_checked_folds
from exlm_chem.finetuning.dataset import Dataset, read_dataset
from exlm_chem.finetuning.extra_columns import check_extra_columns, encode_columns
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.messages import Log, log_split, log_table
from exlm_chem.finetuning.methods.method import Material
from exlm_chem.finetuning.methods.registry import METHODS
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.splits import Split, given_split, make_split, parse_split
from exlm_chem.finetuning.weights import label_weights
from exlm_chem.predictors.registry import task_for_file
from exlm_chem.predictors.task import Task, task_of_targets
from exlm_chem.predictors.task_file import PredictorTask
from exlm_chem.tables.read_options import ReadOptions


@dataclass(frozen=True)
class Prepared:
    """What a run begins with.

    Attributes
    ----------
    material : Material
        What the predictor is made from.
    folds : list of Split
        Those of a cross-validation besides; none if none is wanted.
    task : Task
        The task that was named, or made of the columns of labels.
    labels : LabelOptions
        How the labels were read.
    """

    material: Material
    folds: list[Split]
    task: Task
    labels: LabelOptions


def prepare(
    data: Sequence[Path],
    name: str,
    options: FinetuningOptions,
    task: Task | None,
    labels: LabelOptions,
    reading: ReadOptions | str | None,
    log: Log,
) -> Prepared:
    """Read the table, split it and compute the features.

    Parameters
    ----------
    data : sequence of Path
        The table, or those of training, validation and test.
    name : str
        Of the predictor, where no task has one.
    options, task, labels, reading, log
        See `exlm_chem.finetuning.run.finetune`.

    Raises
    ------
    ExLMError
        If nothing can be learnt from it, before the molecules cost any time.
    """
    rule = parse_split(options.split)
    task = _named_task(options, task, data[0], reading)
    labels = labels if task is None else _labels_of(task, labels)
    encoder = ExLM.from_pretrained(options.model, options.device, METHODS[options.method].backend)
    options = replace(options, layer=encoder.check_layer(options.layer))
    if options.method != "head" and options.layer != -1:
        raise ExLMError(
            f"--method {options.method} trains a head on the last layer; leave --layer away, or take --method head"
        )
    targets = options.targets if task is None else task.targets
    read = partial(encoder.read, standardise=options.standardise)
    check_extra_columns(options.extra_columns, targets)
    others = [*options.extra_columns, *([] if options.weights is None else [options.weights])]
    transforms = None if task is None else [column.transform for column in task.columns]
    dataset = read_dataset(
        data[0] if len(data) == 1 else data, targets, read, reading, labels, rule.column, others, transforms
    )
    if task is None:
        positive = {column.name: next(iter(column.classes), "1") for column in dataset.columns}
        task = task_of_targets(name, targets, dataset.kind, positive, labels.transform or "none")
    if options.balance and dataset.kind == "regression":
        raise ExLMError("--balance is for classes, and the labels are measurements; leave it away")
    log_table(dataset, dataset.report(options.extra_columns), log)
    beside = [*zip(*(dataset.others[column] for column in options.extra_columns), strict=True)] or None
    molecules = replace(dataset.splittable, beside=beside)
    folds = make_checked_folds(molecules, dataset, options, log)
    if len(data) > 1:
        split = given_split(dataset.smiles, dataset.split_cells, "files", f"one file for each part: {dataset.name}")
    else:
        split = folds[0] if folds and rule.rule == "file" else make_split(options.split, molecules, options.seed)
    log_split(split, molecules, log)
    weights = label_weights(dataset, split.train, options.weights, balance=False)
    METHODS[options.method].check(dataset, split, weights)
    check_labels(dataset, split, log, weights)
    described = _described(task, dataset, split, options)
    return Prepared(_material(encoder, dataset, split, described, options, log), folds, task, labels)


def _material(
    encoder: ExLM, dataset: Dataset, split: Split, described: PredictorTask, options: FinetuningOptions, log: Log
) -> Material:
    """Compute what the head reads of the molecules, and besides them."""
    blocks: list[FeatureBlock] = [*make_blocks(options.blocks, encoder, options.pooling, options.layer)]
    beside: Features = {}
    if options.extra_columns:
        block, beside[ColumnsBlock.name] = encode_columns(dataset, options.extra_columns, split.train, log)
        blocks.append(block)
    vectors = encoder.embed_tokens([one.token_ids for one in dataset.inputs], options.pooling, layer=options.layer)
    features = {"exlm": vectors, **beside}
    features |= compute_blocks(dataset.smiles, [block for block in blocks if isinstance(block, RDKitBlock)])
    features = {block.name: features[block.name] for block in blocks}
    described = replace(described, features=tuple(map(block_spec, blocks)))
    weights = label_weights(dataset, split.train, options.weights, balance=options.balance)
    return Material(encoder, vectors, features, dataset, split, described, options, weights)


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
    if labels.transform is not None:
        raise ExLMError(
            f"--transform is for --target; task {quoted(task.name)} says of each of its columns what is learnt"
        )
    return replace(labels, kind=task.kind)


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
        layer=options.layer,
        standardise=options.standardise,
        split={"name": split.name, "description": split.description, "molecules": sizes},
    )
