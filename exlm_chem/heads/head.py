"""The interface of a head: fitted on blocks of features and measured labels, it gives properties.

What all heads need is done here once: labels are brought to one scale, columns that are constant are answered without a
model, weights of unknown labels are 0, and what was learnt is written as arrays and JSON. A head of one's own is a
subclass with four methods (`fit_columns`, `outputs`, `arrays`, `restore`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.heads.arrays import ARRAYS_NAME, Arrays, described, read_arrays, take, write_arrays
from exlm_chem.heads.examples import Examples, Features, FloatArray, checked, label_moments
from exlm_chem.storage import sha256
from exlm_chem.storage.records import Between, Sha256, check_fields, from_json
from exlm_chem.terms import Kind

LARGEST_LOGIT: Final = 30.0

ROUNDS: Final = 3
"""How often limits are replaced by predictions beyond them; see `Head.fit`."""


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """What a directory says of a head, besides its arrays."""

    name: str
    kind: Kind
    columns: Annotated[int, Between(1, 2**20)]
    blocks: dict[str, Annotated[int, Between(1, 2**24)]]
    """The blocks that it reads, in order, and the width of each."""
    files: dict[str, Sha256] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)
    """What was chosen while it was fitted, for the reader of the card."""
    members: list[dict[str, Any]] = field(default_factory=list)
    """Of a head made of heads: what is said of each."""

    def __post_init__(self) -> None:
        check_fields(self)

    def paths(self, directory: Path) -> dict[Path, str]:
        """Give all files of the head and of its members, with their sha256."""
        own = {directory / Path(name).name: digest for name, digest in self.files.items()}
        for number, member in enumerate(self.members):
            own |= from_json(HeadSpec, member, f"head.members[{number}]").paths(directory / str(number))
        return own


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
                predicted = self.fit(features, labels, kind, groups, seed, weights).predict(features)
                labels = np.where(bounds * (predicted - limits) > 0, predicted, limits)
            bounds = None
        labels, weights = checked(features, labels, kind, groups, weights)
        bounds = np.zeros(labels.shape, np.int8) if bounds is None else bounds
        self.kind, self.columns, self.choices = kind, labels.shape[1], {}
        self.blocks = {name: values.shape[1] for name, values in features.items()}
        self._mean, self._scale = label_moments(labels, weights, kind)
        varying = self.varying
        if len(varying):
            scaled = labels[:, varying]
            if kind == "regression":
                scaled = (scaled - self._mean[varying]) / self._scale[varying]
            numbers = np.unique(np.asarray(list(map(str, groups)), dtype=object), return_inverse=True)[1]
            self.fit_columns(Examples(features, scaled, weights[:, varying], kind, numbers, seed, bounds[:, varying]))
        return self

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
        values = self.scores(features)
        if self.kind == "classification":
            values = 1 / (1 + np.exp(-np.clip(values, -LARGEST_LOGIT, LARGEST_LOGIT)))
        result: NDArray[np.float32] = values.astype(np.float32) + np.float32(0)  # never -0.0
        return result

    def scores(self, features: Features) -> FloatArray:
        """Give log-odds, or values in the unit of the labels: numbers whose differences mean something.

        Parameters
        ----------
        features : mapping
            See `predict`.

        Returns
        -------
        array of shape (molecules, columns)
            In double precision.
        """
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

    def save(self, directory: Path) -> dict[str, Any]:
        """Write the head's files, and give what else is to be said of it, as JSON can hold it."""
        directory.mkdir(parents=True, exist_ok=True)
        content = {"label.mean": self._mean, "label.scale": self._scale}
        if len(self.varying):
            content |= self.arrays()
        write_arrays(directory / ARRAYS_NAME, content)
        files = {ARRAYS_NAME: sha256(directory / ARRAYS_NAME)}
        return asdict(HeadSpec(self.name, self.kind, self.columns, self.blocks, files, self.choices))

    @classmethod
    def load(cls, spec: HeadSpec, directory: Path) -> Self:
        """Read a head as it was saved.

        Raises
        ------
        ExLMError
            If a file is missing, damaged or of another head; the message names it.
        """
        head = cls()
        head.kind, head.columns, head.blocks, head.choices = spec.kind, spec.columns, spec.blocks, spec.choices
        head.read_files(spec, directory)
        return head

    def read_files(self, spec: HeadSpec, directory: Path) -> None:
        """Take what `save` wrote."""
        path = directory / ARRAYS_NAME
        arrays = read_arrays(path, spec.files.get(ARRAYS_NAME))
        with described(path):
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
