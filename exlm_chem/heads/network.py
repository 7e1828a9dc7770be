"""Head "network": a small network for all columns together, a few of them with different molecules held out.

Every member learns from all folds but one and stops where its error on that one is the smallest; the answer is the mean
of the members. Torch is needed to fit it, not to predict with it.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.heads.arrays import Arrays, take
from exlm_chem.heads.examples import Examples, Features, FloatArray
from exlm_chem.heads.folds import Fold, grouped_folds
from exlm_chem.heads.head import Head
from exlm_chem.heads.preprocessing import Preprocessing
from exlm_chem.heads.space import Parameters, Span
from exlm_chem.terms import Kind

MEMBERS: Final = 3
HIDDEN: Final = 256
EPOCHS: Final = 100
PATIENCE: Final = 10
BATCHES: Final = 20
"""In an epoch, as long as these are of 8 to 64 molecules."""

LEARNING_RATE: Final = 1e-3
WEIGHT_DECAY: Final = 1e-2
DROPOUT: Final = (0.1, 0.3)
"""Of the features and of the hidden layer."""

_PARTS: Final = ("first.weight", "first.bias", "second.weight", "second.bias")


class NetworkHead(Head):
    """Networks with one hidden layer on the chosen blocks side by side.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    >>> head = NetworkHead().fit({"exlm": x}, (x[:, :1] > 0).astype(float), "classification", range(64))
    >>> head.predict({"exlm": x}).shape
    (64, 1)
    """

    name: ClassVar[str] = "network"
    knows_limits: ClassVar[bool] = True
    _preprocessing: Preprocessing
    _members: list[dict[str, NDArray[np.float32]]]

    def space(self) -> dict[str, Span]:
        """See `Head`; dropout is that of the features and that of the hidden layer."""
        return {
            "hidden": Span(32, 1024, log=True, whole=True),
            "learning_rate": Span(1e-4, 1e-2, log=True),
            "weight_decay": Span(1e-4, 1.0, log=True),
            "dropout_in": Span(0.0, 0.5),
            "dropout": Span(0.0, 0.6),
        }

    def fit_columns(self, examples: Examples) -> None:
        """See `Head`."""
        self._preprocessing = Preprocessing.fit(examples.features)
        x = self._preprocessing.joined(examples.features)
        labels = examples.labels[:, 0] if examples.labels.shape[1] == 1 else examples.labels
        there = np.flatnonzero((examples.weights > 0).any(1))
        folds = grouped_folds(labels[there], examples.kind, examples.groups[there], examples.seed, MEMBERS)
        parts = [(there[train], there[held_out]) for train, held_out in folds] or [(there, there)]
        trained = [_train(x, examples, part, number, self.parameters) for number, part in enumerate(parts)]
        self._members = [weights for weights, _ in trained]
        self.choices["epochs"] = [epoch for _, epoch in trained]

    def outputs(self, features: Features) -> FloatArray:
        """See `Head`."""
        x = self._preprocessing.joined(features).astype(np.float64)
        answers = [_answers(x, *(member[part].astype(np.float64) for part in _PARTS)) for member in self._members]
        result: FloatArray = np.mean(answers, axis=0)
        return result

    def arrays(self) -> Arrays:
        """See `Head`."""
        weights = {f"{part}.{n}": member[part] for n, member in enumerate(self._members) for part in _PARTS}
        return {**self._preprocessing.arrays(), **weights}

    def restore(self, arrays: Arrays) -> None:
        """See `Head`."""
        self._preprocessing = Preprocessing.restore(arrays, self.blocks)
        width, columns = sum(self.blocks.values()), len(self.varying)
        hidden = len(take(arrays, "first.bias.0", (None,)))
        shapes = ((hidden, width), (hidden,), (columns, hidden), (columns,))
        count = sum(name.startswith("first.bias.") for name in arrays)
        self._members = [
            {part: take(arrays, f"{part}.{n}", shape) for part, shape in zip(_PARTS, shapes, strict=True)}
            for n in range(max(count, 1))
        ]


def _answers(
    x: FloatArray, first: FloatArray, first_bias: FloatArray, second: FloatArray, second_bias: FloatArray
) -> FloatArray:
    """Compute one network: a linear layer, max(0, x), a linear layer."""
    return np.maximum(x @ first.T + first_bias, 0) @ second.T + second_bias


def _train(
    x: NDArray[np.float32], examples: Examples, part: Fold, number: int, parameters: Parameters
) -> tuple[dict[str, NDArray[np.float32]], int]:
    """Train one member; give its weights and the epoch that was the best."""
    import torch
    from torch import nn

    train, held_out = part
    hidden, dropout_in, dropout = (
        int(parameters.get("hidden", HIDDEN)),
        *(parameters.get(name, usual) for name, usual in zip(("dropout_in", "dropout"), DROPOUT, strict=True)),
    )
    tensors = [
        torch.from_numpy(values.astype(np.float32))
        for values in (x, np.nan_to_num(examples.labels), examples.weights, examples.bounds)
    ]
    random = np.random.default_rng((examples.seed, number))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(random.integers(2**31)))
        first, second = nn.Linear(x.shape[1], hidden), nn.Linear(hidden, examples.labels.shape[1])
        model = nn.Sequential(nn.Dropout(dropout_in), first, nn.ReLU(), nn.Dropout(dropout), second)
        rate, decay = parameters.get("learning_rate", LEARNING_RATE), parameters.get("weight_decay", WEIGHT_DECAY)
        optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay)
        batches = -(-len(train) // int(np.clip(len(train) // BATCHES, 8, 64)))
        best, kept, last = np.inf, _weights(first, second), 0
        for epoch in range(1, EPOCHS + 1):
            model.train()
            for batch in np.array_split(random.permutation(train), batches):
                optimizer.zero_grad()
                _loss(model, tensors, batch, examples.kind).backward()
                optimizer.step()
            model.eval()
            with torch.inference_mode():
                loss = float(_loss(model, tensors, held_out, examples.kind))
            if loss < best:
                best, kept, last = loss, _weights(first, second), epoch
            elif epoch - last >= PATIENCE:
                break
    return kept, last


def _loss(model: Any, tensors: list[Any], rows: NDArray[np.int64], kind: Kind) -> Any:
    """Mean loss of the known labels of some molecules, each with its weight."""
    from exlm_chem.modeling.property_loss import property_loss

    x, y, weight, bound = (values[rows] for values in tensors)
    return property_loss(model(x), y, kind, weights=weight, bounds=bound)


def _weights(first: Any, second: Any) -> dict[str, NDArray[np.float32]]:
    layers = (first.weight, first.bias, second.weight, second.bias)
    return {part: layer.detach().numpy().copy() for part, layer in zip(_PARTS, layers, strict=True)}
