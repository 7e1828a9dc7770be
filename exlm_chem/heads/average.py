"""Head "average": the mean of several heads, on every single block and on all of them together.

It needs no choice between heads, which small validation parts make close to chance, and it was the most robust of all
that were compared. For classes all members count the same; for values by how near they come to molecules that they
have not seen, because there one block may be far better than the others.
"""

from __future__ import annotations

import copy
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.features.columns import ColumnsBlock
from exlm_chem.heads.arrays import Arrays, take
from exlm_chem.heads.examples import Examples, Features, FloatArray
from exlm_chem.heads.folds import grouped_folds
from exlm_chem.heads.head import Head
from exlm_chem.heads.members import HeadOfMembers
from exlm_chem.heads.preprocessing import COUNTS
from exlm_chem.heads.space import Span, within
from exlm_chem.heads.spec import HeadSpec
from exlm_chem.heads.weighting import member_weights

MEMBERS: Final = ("linear", "kernel", "boosting")

FEW_COLUMNS: Final = 4
FEW_LABELS: Final = 10_000
"""Up to so many columns and known labels every head reads every block."""

WEIGHING_FOLDS: Final = 3
"""Folds by which the members for values are weighed."""

MOST_BOOSTED: Final = 30
"""Columns up to which boosting is a member: it needs a model for each."""


class AverageHead(HeadOfMembers):
    """The mean of heads: the plain one of probabilities, a weighted one of values (see `member_weights`).

    Parameters
    ----------
    members : sequence of str
        Names of heads; see `exlm_chem.heads.registry.make_head`.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 60, dtype=np.float32)[:, None]
    >>> head = AverageHead(["linear", "kernel"]).fit({"exlm": x}, 2 * x, "regression", range(60))
    >>> bool(abs(head.predict({"exlm": x}) - 2 * x).max() < 0.2), head.choices["members"]
    (True, ['linear on exlm', 'kernel on exlm'])
    """

    name: ClassVar[str] = "average"
    _weights: FloatArray
    """Of the members for each column that varies, shape (columns, members)."""
    _unseen: tuple[FloatArray, Examples] | None = None
    """What the members say of molecules that they have not seen, while that is known."""

    def __init__(self, members: tuple[str, ...] | list[str] = MEMBERS) -> None:
        if not members:
            raise ExLMError("an average needs at least one head")
        self.names = tuple(members)
        self._members = []

    def space(self) -> dict[str, Span]:
        """See `Head`: that of all its heads, with their names before a dot."""
        from exlm_chem.heads.registry import make_head

        return {f"{head}.{name}": span for head in self.names for name, span in make_head(head).space().items()}

    def fit_columns(self, examples: Examples) -> None:
        """See `Head`."""
        from exlm_chem.heads.registry import make_head

        features, columns = examples.features, np.arange(examples.labels.shape[1])
        groups, seed, weights = examples.groups.tolist(), examples.seed, examples.weights
        self._unseen = None
        if examples.settings:
            self._members = self._refitted(examples, np.arange(len(groups)), examples.settings["column"])
            self._weights = examples.settings["weights"]
        else:
            plan, rule = self._plan(examples)
            self._members = [
                make_head(name, within(name, self.parameters)).fit(
                    {block: features[block] for block in blocks}, examples.labels, examples.kind, groups, seed, weights
                )
                for name, blocks in plan
            ]
            self.choices |= {"members": [f"{name} on {' + '.join(blocks)}" for name, blocks in plan], "rule": rule}
            self._weigh(examples)
        self.settings = {"column": columns, "weights": self._weights}

    def _refitted(self, examples: Examples, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> list[Head]:
        """Fit the members again on some of the molecules, with what they have chosen."""
        labels, groups, weights = examples.labels[rows], examples.groups[rows].tolist(), examples.weights[rows]
        return [
            old.refit(
                {block: examples.features[block][rows] for block in old.blocks},
                labels,
                groups,
                columns,
                examples.seed,
                weights,
            )
            for old in self._members
        ]

    def _weigh(self, examples: Examples) -> None:
        """Let all count the same, or those for values by their errors on molecules that they have not seen."""
        molecules, columns = examples.labels.shape
        self._weights = np.full((columns, len(self._members)), 1 / len(self._members))
        if examples.kind == "classification" or len(self._members) < 2:
            return
        said = np.full((len(self._members), molecules, columns), np.nan)
        labels = np.where(examples.weights > 0, examples.labels, np.nan)
        for train, held_out in grouped_folds(labels, "regression", examples.groups, examples.seed, WEIGHING_FOLDS):
            learnable = np.flatnonzero((examples.weights[train] > 0).any(0))
            if len(learnable) < columns:
                return
            for answers, member in zip(said, self._refitted(examples, train, learnable), strict=True):
                answers[held_out] = member.predict({name: examples.features[name][held_out] for name in member.blocks})
        self._unseen = said, examples
        self._weights = _weights_by(said, examples)
        if columns == 1:
            shares = zip(self.choices["members"], self._weights[0].tolist(), strict=True)
            self.choices["weights"] = {name: round(share, 3) for name, share in shares}

    def _plan(self, examples: Examples) -> tuple[list[tuple[str, list[str]]], str]:
        """Say which heads read which blocks, and why."""
        columns, labels = examples.labels.shape[1], int((examples.weights > 0).sum())
        names, beside = list(self.names), [block for block in examples.features if block == ColumnsBlock.name]
        blocks = [block for block in examples.features if block not in beside] or beside
        small = columns <= FEW_COLUMNS and labels <= FEW_LABELS
        sets = [[block] for block in blocks] + ([blocks] if len(blocks) > 1 else [])
        rule = "every head on every block and on all of them; no linear model of a fingerprint alone"
        if not small:
            rule = (
                f"more than {FEW_COLUMNS} columns or {FEW_LABELS:,} labels: linear models on every block of numbers, "
                "the other heads on all blocks together"
            )
        if columns > MOST_BOOSTED and len(names) > 1 and "boosting" in names:
            names.remove("boosting")
            rule += f"; no boosting of more than {MOST_BOOSTED} columns"
        if beside:
            rule += "; the extra columns are read by all of them"
        plan = [
            (name, list(dict.fromkeys([*chosen, *beside])))
            for chosen in sets
            for name in names
            if _is_worth_it(name, chosen) and (small or len(blocks) == 1 or (name == "linear") == (len(chosen) == 1))
        ]
        return plan, rule

    def on_block(self, block: str) -> AverageHead | None:
        """Give the mean of the members that read one block alone, if it is what a fit on that block would give.

        Examples
        --------
        >>> x = {name: np.linspace(-1, 1, 60, dtype=np.float32)[:, None] for name in ("exlm", "descriptors")}
        >>> head = AverageHead(["linear", "kernel"]).fit(x, 2 * x["exlm"], "regression", range(60))
        >>> head.on_block("exlm")
        AverageHead(regression, columns=1, blocks=['exlm'])
        """
        on_all = {member.name for member in self._members if len(member.blocks) == len(self.blocks)}
        places = [place for place, member in enumerate(self._members) if list(member.blocks) == [block]]
        needed = {name for name in on_all if _is_worth_it(name, [block])}
        weighed = self.kind == "regression" and len(places) > 1
        if not places or needed != {self._members[place].name for place in places} or (weighed and not self._unseen):
            return None
        head = copy.copy(self)
        head.blocks = {block: self.blocks[block]}
        head._members = [self._members[place] for place in places]  # noqa: SLF001  (its own class)
        head._weights = np.full((len(self.varying), len(places)), 1 / len(places))  # noqa: SLF001
        if weighed and self._unseen:
            head._weights = _weights_by(self._unseen[0][places], self._unseen[1])  # noqa: SLF001
        return head

    @property
    def member_shares(self) -> FloatArray:
        """See `Head`."""
        members = max(len(self._members), 1)
        shares = np.full((members, self.columns), 1 / members)
        if self._members:
            shares[:, self.varying] = self._weights.T
        return shares

    def predict_members(self, features: Features) -> NDArray[np.float32]:
        """See `Head`."""
        varying, molecules = self.varying, len(next(iter(features.values())))
        constant = self.in_units(np.tile(self._mean, (molecules, 1)))  # of columns that no member has learnt
        everyone = np.tile(constant, (len(self.member_shares), 1, 1))
        for answers, member in zip(everyone, self._members, strict=False):  # no member where nothing varies
            said = member.predict(features)
            answers[:, varying] = (
                said if self.kind == "classification" else said * self._scale[varying] + self._mean[varying]
            )
        return everyone

    def outputs(self, features: Features) -> FloatArray:
        """See `Head`."""
        said = [member.predict(features) for member in self._members]
        if self.kind == "regression":
            weighed: FloatArray = (self._weights.T[:, None] * np.asarray(said, np.float64)).sum(0)
            return weighed
        mean: FloatArray = np.mean(said, axis=0, dtype=np.float64)
        logits: FloatArray = np.log(np.maximum(mean, 1e-30)) - np.log(np.maximum(1 - mean, 1e-30))
        return logits

    def arrays(self) -> Arrays:
        """See `Head`: those of all members, and their weights."""
        own: Arrays = {"weights": self._weights} if self.kind == "regression" and self._members else {}
        return own | super().arrays()

    def take(self, spec: HeadSpec, arrays: Arrays) -> None:
        """See `Head`."""
        super().take(spec, arrays)
        for member in self._members:
            fits = (member.kind, member.columns) == (self.kind, len(self.varying))
            if not fits or any(self.blocks.get(name) != width for name, width in member.blocks.items()):
                raise ExLMError("a member of its head is not for the same columns and blocks")
        if bool(self._members) != bool(len(self.varying)):
            raise ExLMError("its head has no members")
        shape = len(self.varying), len(self._members)
        self._weights = np.full(shape, 1 / max(shape[1], 1))
        if "weights" in arrays:
            self._weights = take(arrays, "weights", shape).astype(np.float64)


def _weights_by(said: FloatArray, examples: Examples) -> FloatArray:
    """Give the weights of members by what they say of unseen molecules, shape (columns, members)."""
    columns = range(examples.labels.shape[1])
    return np.stack([member_weights(said[:, :, c], examples.labels[:, c], examples.weights[:, c]) for c in columns])


def _is_worth_it(name: str, blocks: list[str]) -> bool:
    """A linear model of a fingerprint alone is far worse than the other heads."""
    return name != "linear" or not COUNTS.issuperset(blocks)
