"""Method "full": encoder and head are trained together, starting from the best linear head on the frozen encoder."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.choice import name_of_scores
from exlm_chem.finetuning.dataset import Dataset
from exlm_chem.finetuning.methods.adapters import Adapters
from exlm_chem.finetuning.methods.method import Fitted, Material, Report, TrainingMethod
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.search import search_training
from exlm_chem.finetuning.splits import Split
from exlm_chem.finetuning.weights import counted_labels
from exlm_chem.heads.layer import LayerHead
from exlm_chem.heads.linear import fit_linear_head
from exlm_chem.heads.property_head import ExLMForMoleculeProperty, PropertyHead
from exlm_chem.modeling.property_loss import property_loss
from exlm_chem.terms import BackendName, Kind, Method, Pooling
from exlm_chem.tokenizer import ExLMTokenizer
from exlm_chem.training.bucketing import length_batches
from exlm_chem.training.optimization import learning_rate_factor, make_optimizer, resolve_precision


@dataclass(frozen=True)
class Examples:
    """Measured molecules.

    Attributes
    ----------
    token_ids : sequence of sequences of int
        The molecules.
    labels : array of shape (molecules, columns)
        NaN where unknown.
    weights, bounds : arrays of the same shape
        See `property_loss`; by default all labels count the same, and none is a limit.
    """

    token_ids: Sequence[Sequence[int]]
    labels: NDArray[np.float64]
    weights: NDArray[np.float64]
    bounds: NDArray[np.int8]

    @classmethod
    def of(cls, material: Material, rows: Sequence[int]) -> Self:
        """Take some molecules of a dataset."""
        dataset = material.dataset
        weights = np.ones(dataset.labels.shape) if material.weights is None else material.weights
        ids = [dataset.inputs[row].token_ids for row in rows]
        return cls(ids, dataset.labels[rows], weights[rows], dataset.bounds[rows])


class FullTraining(TrainingMethod):
    """Trains the encoder with its head."""

    method: ClassVar[Method] = "full"
    description: ClassVar[str] = "encoder and head trained together"
    backend: ClassVar[BackendName] = "torch"

    def check(self, dataset: Dataset, split: Split, weights: NDArray[np.float64] | None = None) -> None:
        """See `TrainingMethod`."""
        if np.isnan(counted_labels(dataset.labels, weights)[split.valid]).all():
            raise ExLMError(
                f"--method {self.method} needs validation molecules with labels"
                f"{'' if weights is None else ' and weights above 0'} to know when to stop, and the {split.name} split "
                f"of {dataset.name} has none; use another --split, or --method head"
            )

    def train(self, material: Material, seed: int, report: Report) -> Fitted:
        """See `TrainingMethod`."""
        if not material.options.search:
            return self._fit(material, seed, report)
        material, found = search_training(self._fit, material, seed, report)
        fitted = self._fit(material, seed, report)
        choices = {name_of_scores("search", material): found.to_json()}
        return replace(fitted, facts=fitted.facts | {"choices": choices}, said=[f"seed {seed}: {found}", *fitted.said])

    def _fit(self, material: Material, seed: int, report: Report) -> Fitted:
        train, valid = (Examples.of(material, part) for part in (material.split.train, material.split.valid))
        kind, learnt = material.task.kind, np.asarray(material.split.train)
        groups, vectors = material.groups(learnt), material.vectors[learnt]
        start, strengths = fit_linear_head(vectors, train.labels, kind, groups, seed, train.weights)
        encoder, head, history = train_full(material.encoder, start, train, valid, kind, material.options, seed, report)
        best = best_epoch(history).epoch
        facts = {
            "strengths": dict(zip([one.name for one in material.task.columns], strengths, strict=True)),
            "best_epoch": best,
            "history": [asdict(epoch) for epoch in history],
        }
        said = [f"seed {seed}: epoch {best} of {len(history) - 1} is the best on the validation part"]
        vectors = encoder.embed_tokens([one.token_ids for one in material.dataset.inputs], material.options.pooling)
        return Fitted(encoder, vectors, LayerHead.of(head, kind), facts, said)

    def combine(self, material: Material, fitted: Sequence[Fitted]) -> Fitted:
        """See `TrainingMethod`: the mean of weights that began as the same (Wortsman et al., ICML 2022)."""
        encoders, heads = [one.encoder for one in fitted], [one.head.arrays() for one in fitted]
        model, states = copy.deepcopy(encoders[0].model), [one.model.state_dict() for one in encoders]
        means = {
            name: torch.stack([one[name] for one in states])
            for name, values in states[0].items()
            if values.is_floating_point()
        }
        model.load_state_dict({**states[0], **{name: values.mean(0) for name, values in means.items()}})
        encoder, head = ExLM(model, encoders[0].tokenizer, str(encoders[0].device)), copy.copy(fitted[0].head)
        head.restore({name: np.mean([one[name] for one in heads], axis=0) for name in heads[0]})
        vectors = encoder.embed_tokens([one.token_ids for one in material.dataset.inputs], material.options.pooling)
        choices = {"ensemble": f"the mean of the weights of {len(fitted)} seeds"}
        return Fitted(encoder, vectors, head, {"choices": choices})


@dataclass(frozen=True)
class Epoch:
    """Losses after an epoch; epoch 0 is the linear head on the encoder as it was."""

    epoch: int
    train_loss: float | None
    valid_loss: float
    seconds: float


def train_full(
    embedder: ExLM,
    head: PropertyHead,
    train: Examples,
    valid: Examples,
    kind: Kind,
    options: FinetuningOptions,
    seed: int = 0,
    report: Report = lambda *_: None,
) -> tuple[ExLM, PropertyHead, list[Epoch]]:
    """Train encoder and head together.

    The head starts where training it alone would have ended (a linear head has one best solution, which
    `fit_linear_head` gives), so the first steps do not spoil the encoder. The weights with the smallest validation
    loss win, the start included.

    Parameters
    ----------
    embedder : ExLM
        The pretrained encoder; it is not changed.
    head : PropertyHead
        What `fit_linear_head` gave for the same training molecules.
    train, valid : Examples
        Molecules to learn from, and to decide when to stop.
    kind : {"classification", "regression"}
        Cross-entropy or squared error; labels that are not known have no influence.
    options : FinetuningOptions
        How it is trained; its method says whether all of the encoder is, or only its `Adapters`.
    seed : int
        Order of the molecules and dropout.
    report : callable, optional
        See `Report`.

    Returns
    -------
    embedder, head
        The new encoder and its head.
    history : list of Epoch
        Losses; that of a regression is in units of the labels' standard deviation.
    """
    device = torch.device(embedder.device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        model = _start(embedder, head, options.pooling, options.dropout)
        adapters = Adapters(model.model, options.rank) if options.method == "lora" else None
        history = _train(model, embedder.tokenizer, train, valid, kind, options, np.random.default_rng(seed), report)
        if adapters is not None:
            adapters.merge()
    return ExLM(model.model, embedder.tokenizer, str(embedder.device)), model.head.cpu(), history


def _start(embedder: ExLM, head: PropertyHead, pooling: Pooling, dropout: float) -> ExLMForMoleculeProperty:
    """Make one module of copies of the encoder and the head."""
    model = ExLMForMoleculeProperty(embedder.model.config, head.out_features, pooling, head.hidden, dropout)
    model.model.load_state_dict(embedder.model.state_dict())
    model.head.load_state_dict(head.state_dict())
    return model.to(embedder.device)


def _train(
    model: ExLMForMoleculeProperty,
    tokenizer: ExLMTokenizer,
    train: Examples,
    valid: Examples,
    kind: Kind,
    options: FinetuningOptions,
    generator: np.random.Generator,
    report: Report,
) -> list[Epoch]:
    """Train until the validation loss falls no more, and put the best weights back."""
    device = next(model.parameters()).device
    loss_of = _Loss(kind, model.head.label_scale)
    low = resolve_precision(options.precision, device.type) == "bf16"
    optimizer = make_optimizer(model, "adamw", options.peak_rate, options.weight_decay)
    start = time.monotonic()
    history = [Epoch(0, None, _validate(model, valid, tokenizer, loss_of, low), 0.0)]
    best = copy.deepcopy(model.state_dict())
    steps, step = -(-len(train.token_ids) // options.batch_size), 0
    end = options.epochs * steps + 1  # where the rate would be 0
    warmup = steps / end
    for epoch in range(1, options.epochs + 1):
        model.train()
        losses = []
        for input_ids, *measured in _batches(train, tokenizer, options.batch_size, generator):
            step += 1
            for group in optimizer.param_groups:
                group["lr"] = options.peak_rate * learning_rate_factor(step / end, "linear", warmup, 1 - warmup)
            loss = loss_of(_outputs(model, input_ids, low), *(one.to(device) for one in measured))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip)
            optimizer.step()
            losses.append(float(loss.detach()))
            report(step / (options.epochs * steps), f"epoch {epoch}, validation loss {history[-1].valid_loss:z.4f}")
        valid_loss = _validate(model, valid, tokenizer, loss_of, low)
        if not np.isfinite(valid_loss):
            raise ExLMError(f"the loss is {valid_loss} in epoch {epoch}; use a smaller --learning-rate")
        if valid_loss < min(one.valid_loss for one in history):
            best = copy.deepcopy(model.state_dict())
        history.append(Epoch(epoch, float(np.mean(losses)), valid_loss, round(time.monotonic() - start, 1)))
        if epoch - best_epoch(history).epoch >= options.patience:
            break
    model.load_state_dict(best)
    model.eval()
    return history


def _outputs(model: ExLMForMoleculeProperty, input_ids: Tensor, low: bool) -> Tensor:
    """Run the model; the encoder with products of matrices in bfloat16 if `low`."""
    device = next(model.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=low):
        vectors = model.model.embed(input_ids.to(device), model.pooling)
    outputs: Tensor = model.head(vectors.float())
    return outputs


def best_epoch(history: Sequence[Epoch]) -> Epoch:
    """Give the epoch with the smallest validation loss, the earliest of equals."""
    return min(history, key=lambda one: one.valid_loss)


class _Loss:
    """The masked loss, with the errors of different properties made comparable."""

    def __init__(self, kind: Kind, label_scale: Tensor) -> None:
        self.kind, self.label_scale = kind, label_scale

    def __call__(self, outputs: Tensor, labels: Tensor, weights: Tensor, bounds: Tensor) -> Tensor:
        return property_loss(outputs, labels, self.kind, self.label_scale, weights=weights, bounds=bounds)


def _batches(
    examples: Examples, tokenizer: ExLMTokenizer, batch_size: int, generator: np.random.Generator
) -> Iterator[tuple[Tensor, ...]]:
    """Go once over the molecules in a random order; those of a batch have like lengths, to save padding."""
    token_ids = examples.token_ids
    order = generator.permutation(len(token_ids))
    pool_size = 20 * batch_size
    for pool in (order[start : start + pool_size] for start in range(0, len(order), pool_size)):
        by_length = sorted(pool, key=lambda index: len(token_ids[index]))
        batches = [by_length[start : start + batch_size] for start in range(0, len(by_length), batch_size)]
        for index in generator.permutation(len(batches)):
            batch = batches[index]
            input_ids = torch.from_numpy(tokenizer.pad([token_ids[i] for i in batch]))
            yield input_ids, *_measured(examples, batch)


def _measured(examples: Examples, rows: Sequence[int]) -> Iterator[Tensor]:
    """Give labels, weights and bounds of some molecules."""
    for values in (examples.labels, examples.weights, examples.bounds):
        yield torch.from_numpy(values[list(rows)]).float()


@torch.inference_mode()
def _validate(
    model: ExLMForMoleculeProperty, examples: Examples, tokenizer: ExLMTokenizer, loss_of: _Loss, low: bool
) -> float:
    """Mean loss over all known labels of the validation part."""
    model.eval()
    device = next(model.parameters()).device
    total, count = 0.0, 0.0
    token_ids = examples.token_ids
    for batch in length_batches([len(ids) for ids in token_ids], batch_tokens=8192, batch_size=256):
        outputs = _outputs(model, torch.from_numpy(tokenizer.pad([token_ids[index] for index in batch])), low)
        labels, weights, bounds = (one.to(device) for one in _measured(examples, batch))
        known = float(weights[~labels.isnan()].sum())
        total += float(loss_of(outputs, labels, weights, bounds)) * known
        count += known
    return total / max(count, 1e-12)
