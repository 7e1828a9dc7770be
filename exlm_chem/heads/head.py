"""The interface of a head: fitted on blocks of features and measured labels, it gives properties.

What all heads need is done here once: labels are brought to one scale, columns that are constant are answered without a
model, weights of unknown labels are 0, and what was learnt is written as arrays and JSON. A head of one's own is a
subclass with four methods (`fit_columns`, `outputs`, `arrays`, `restore`).
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.heads.arrays import ARRAYS_NAME, Arrays, described, read_arrays, take
from exlm_chem.heads.examples import Examples, Features, FloatArray, checked, label_moments
from exlm_chem.heads.space import USUAL, Parameters, Span
from exlm_chem.heads.spec import HeadSpec
from exlm_chem.storage import sha256
from exlm_chem.storage.packed import write_packed
from exlm_chem.terms import Kind

LARGEST_LOGIT: Final = 30.0
ROUNDS: Final = 3
"""How often limits are replaced by predictions beyond them; see `Head.fit`."""


class Head(ABC):
    """From blocks of features to properties.

    Attributes
    ----------
    name : str
        In the registry.
    knows_limits : bool
        Whether it learns from labels of which only a limit is known (`Examples.bounds`).
    kind : {"classification", "regression"}
        What it gives: probabilities, or values in the unit of the labels.
    blocks : dict
        Names and widths of the blocks that it was fitted on; others are not looked at.
    columns : int
        How many properties.
    choices : dict
        What was chosen while it was fitted, as JSON can hold it.
    settings : dict
        The same as arrays, for each column that varies; what `refit` hands on.
    given : mapping
        Settings that are not chosen anew, for each column.
    parameters : mapping
        Hyper-parameters of its `space` that a search has found; the others are as usual.

    Examples
    --------
    >>> class Mean(Head):
    ...     "Predicts the mean of the training labels."
    ...     name = "mean"
    ...     def fit_columns(self, examples): pass
    ...     def outputs(self, features): return np.zeros((len(features["ecfp"]), len(self.varying)))
    ...     def arrays(self): return {}
    ...     def restore(self, arrays): pass
    >>> ecfp = {"ecfp": np.zeros((3, 2), np.float32)}
    >>> Mean().fit(ecfp, np.array([[1.0], [np.nan], [3.0]]), "regression", "abc").predict(ecfp).ravel().tolist()
    [2.0, 2.0, 2.0]
    """

    name: ClassVar[str]
    knows_limits: ClassVar[bool] = False
    kind: Kind
    blocks: dict[str, int]
    columns: int
    choices: dict[str, Any]
    settings: dict[str, NDArray[Any]]
    given: Mapping[str, NDArray[Any]] = MappingProxyType({})
    parameters: Parameters = USUAL
    _mean: FloatArray
    _scale: FloatArray

    def fit(
        self,
        features: Features,
        labels: NDArray[Any],
        kind: Kind,
        groups: Sequence[Any],
        seed: int = 0,
        weights: NDArray[Any] | None = None,
        bounds: NDArray[Any] | None = None,
    ) -> Self:
        """Learn from measured molecules.

        Parameters
        ----------
        features : mapping
            For every block, by its name, a float32 array of shape (molecules, width); NaN where undefined.
        labels : array of shape (molecules, columns)
            NaN where unknown; every column has at least one. 0 and 1 for classification.
        kind : {"classification", "regression"}
            Of all columns.
        groups : sequence
            For every molecule, what it must not share with one of another fold when something is chosen: its scaffold.
        seed : int
            The same seed gives the same head.
        weights : array of shape (molecules, columns), optional
            How much each label counts; one of weight 0 counts as unknown.
        bounds : int array of shape (molecules, columns), optional
            1 where the label is a limit and the truth is larger (``>30``), -1 where it is smaller. A head that does
            not know limits is fitted four times: with the limits as values, and then with what the fit before
            predicts of a molecule in the place of its limit, where that lies beyond it.

        Returns
        -------
        Head
            Itself.

        Raises
        ------
        ExLMError
            If the arrays do not fit together, or there is nothing to learn.
        """
        if bounds is not None and np.any(bounds) and not self.knows_limits:
            limits = np.asarray(labels, np.float64)
            for _ in range(ROUNDS):
                predicted = copy.copy(self).fit(features, labels, kind, groups, seed, weights).predict(features)
                labels = np.where(bounds * (predicted - limits) > 0, predicted, limits)
            bounds = None
        labels, weights = checked(features, labels, kind, groups, weights)
        bounds = np.zeros(labels.shape, np.int8) if bounds is None else bounds
        self.kind, self.columns, self.choices, self.settings = kind, labels.shape[1], {}, {}
        self.blocks = {name: values.shape[1] for name, values in features.items()}
        self._mean, self._scale = label_moments(labels, weights, kind)
        varying = self.varying
        if len(varying):
            scaled = labels[:, varying]
            if kind == "regression":
                scaled = (scaled - self._mean[varying]) / self._scale[varying]
            numbers = np.unique(np.asarray(list(map(str, groups)), dtype=object), return_inverse=True)[1]
            given = {name: values[varying] for name, values in self.given.items()}
            weights, bounds = weights[:, varying], bounds[:, varying]
            self.fit_columns(Examples(features, scaled, weights, kind, numbers, seed, bounds, given))
        return self

    def refit(
        self,
        features: Features,
        labels: NDArray[Any],
        groups: Sequence[Any],
        columns: NDArray[np.int64],
        seed: int = 0,
        weights: NDArray[Any] | None = None,
        bounds: NDArray[Any] | None = None,
    ) -> Self:
        """Fit another head on some of the molecules; it takes over what this one has chosen, where that saves time.

        Parameters
        ----------
        features, labels, groups, seed, weights, bounds
            See `fit`.
        columns : array of int
            Which of the columns of this head the labels are.
        """
        place = np.zeros(self.columns, np.int64)
        place[self.varying] = np.arange(len(self.varying))
        head = copy.copy(self)
        head.given = {name: values[place[columns]] for name, values in self.settings.items()}
        head.fit(features, labels, self.kind, groups, seed, weights, bounds)
        head.given = {}
        return head

    def predict(self, features: Features) -> NDArray[np.float32]:
        """Predict the properties of some molecules, each on its own.

        Parameters
        ----------
        features : mapping
            The blocks that the head was fitted on, and perhaps others.

        Returns
        -------
        float32 array of shape (molecules, columns)
            Probabilities, or values in the unit of the labels.
        """
        return self.in_units(self.scores(features))

    def in_units(self, values: FloatArray) -> NDArray[np.float32]:
        """Make of what `scores` gives what `predict` gives."""
        if self.kind == "classification":
            values = 1 / (1 + np.exp(-np.clip(values, -LARGEST_LOGIT, LARGEST_LOGIT)))
        result: NDArray[np.float32] = values.astype(np.float32) + np.float32(0)  # never -0.0
        return result

    @property
    def member_shares(self) -> FloatArray:
        """How much each member counts in the mean, shape (members, columns); one that has none stands for itself."""
        return np.ones((1, self.columns))

    def predict_members(self, features: Features) -> NDArray[np.float32]:
        """Give what every member says by itself: shape (members, molecules, columns)."""
        return self.predict(features)[None]

    def scores(self, features: Features) -> FloatArray:
        """Give log-odds, or values in the unit of the labels, in double precision: their differences mean something."""
        taken = self._taken(features)
        values = np.tile(self._mean, (len(next(iter(taken.values()))), 1))
        varying = self.varying
        if len(varying) and len(values):
            values[:, varying] = self.outputs(taken) * self._scale[varying] + self._mean[varying]
        return values

    @property
    def varying(self) -> NDArray[np.int64]:
        """The columns whose labels were not all the same; only these have a model."""
        return np.flatnonzero(self._scale > 0)

    def space(self) -> dict[str, Span]:
        """Give what may be searched."""
        return {}

    @abstractmethod
    def fit_columns(self, examples: Examples) -> None:
        """Learn the columns that vary."""

    @abstractmethod
    def outputs(self, features: Features) -> FloatArray:
        """Give shape (molecules, varying columns): logits, or values on the scale of `Examples.labels`.

        In double precision, and so that a row does not depend on the others.
        """

    @abstractmethod
    def arrays(self) -> Arrays:
        """Give what was learnt as arrays; numbers are float16, 32 or 64, and counts uint8 or uint16."""

    @abstractmethod
    def restore(self, arrays: Arrays) -> None:
        """Take what `arrays` gave; `exlm_chem.heads.arrays.take` checks each array."""

    def described(self) -> HeadSpec:
        """Give what is to be said of it, besides its file."""
        return HeadSpec(self.name, self.kind, self.columns, self.blocks, choices=self.choices)

    def everything(self) -> Arrays:
        """Give all arrays that `restored` takes."""
        content: Arrays = {"label.mean": self._mean, "label.scale": self._scale}
        return {**content, **(self.arrays() if len(self.varying) else {})}

    def save(self, directory: Path) -> dict[str, Any]:
        """Write the head's file, and give what else is to be said of it, as JSON can hold it."""
        directory.mkdir(parents=True, exist_ok=True)
        write_packed(directory / ARRAYS_NAME, self.everything())
        return asdict(replace(self.described(), files={ARRAYS_NAME: sha256(directory / ARRAYS_NAME)}))

    @classmethod
    def load(cls, spec: HeadSpec, directory: Path) -> Self:
        """Read a head as it was saved.

        Raises
        ------
        ExLMError
            If its file is missing, damaged or of another head; the message names it.
        """
        path = directory / ARRAYS_NAME
        arrays = read_arrays(path, spec.files.get(ARRAYS_NAME))
        with described(path):
            return cls.restored(spec, arrays)

    @classmethod
    def restored(cls, spec: HeadSpec, arrays: Arrays) -> Self:
        """Make a head of its description and its arrays."""
        head = cls()
        head.kind, head.columns, head.blocks, head.choices = spec.kind, spec.columns, spec.blocks, spec.choices
        head.settings = {}
        head.take(spec, arrays)
        return head

    def take(self, spec: HeadSpec, arrays: Arrays) -> None:
        """Take what `described` and `everything` gave."""
        self._mean = take(arrays, "label.mean", (spec.columns,)).astype(np.float64)
        self._scale = take(arrays, "label.scale", (spec.columns,)).astype(np.float64)
        if len(self.varying):
            self.restore(arrays)

    def _taken(self, features: Features) -> Features:
        for name, width in self.blocks.items():
            if name not in features:
                raise ExLMError(f"the head reads block {quoted(name)}, which is missing")
            if features[name].ndim != 2 or features[name].shape[1] != width:
                shape = features[name].shape
                raise ExLMError(f"block {quoted(name)} has shape {shape}, and the head reads {width} numbers")
        return {name: features[name] for name in self.blocks}

    def __repr__(self) -> str:
        fitted = f"{self.kind}, columns={self.columns}, blocks={list(self.blocks)}" if hasattr(self, "kind") else ""
        return f"{type(self).__name__}({fitted})"
