"""Head "average": the plain mean of several heads, on every single block and on all of them together.

It needs no choice between heads, which small validation parts make close to chance, and it was the most robust of all
that were compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

from exlm_chem.errors import ExLMError
from exlm_chem.heads.arrays import Arrays
from exlm_chem.heads.examples import Examples, Features, FloatArray
from exlm_chem.heads.head import Head, HeadSpec
from exlm_chem.heads.preprocessing import COUNTS

MEMBERS: Final = ("linear", "kernel", "boosting")

MOST_BOOSTED: Final = 30
"""Columns up to which boosting is a member: it needs a model for each."""


class AverageHead(Head):
    """The mean of heads, of probabilities or of values.

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
    _members: list[Head]

    def __init__(self, members: tuple[str, ...] | list[str] = MEMBERS) -> None:
        if not members:
            raise ExLMError("an average needs at least one head")
        self.names = tuple(members)
        self._members = []

    def fit_columns(self, examples: Examples) -> None:
        """See `Head`."""
        from exlm_chem.heads.registry import make_head

        features, columns = examples.features, examples.labels.shape[1]
        sets = [[name] for name in features] + ([list(features)] if len(features) > 1 else [])
        self._members, self.choices["members"] = [], []
        left_out = "boosting" in self.names and columns > MOST_BOOSTED and len(self.names) > 1
        if left_out:
            self.choices["left out"] = f"boosting: {columns} columns, and it needs a model for each"
        for blocks in sets:
            for name in self.names:
                if (name == "boosting" and left_out) or not _is_worth_it(name, blocks):
                    continue
                member = make_head(name).fit(
                    {block: features[block] for block in blocks},
                    examples.labels,
                    examples.kind,
                    examples.groups.tolist(),
                    examples.seed,
                    examples.weights,
                )
                self._members.append(member)
                self.choices["members"].append(f"{name} on {' + '.join(blocks)}")

    def outputs(self, features: Features) -> FloatArray:
        """See `Head`."""
        mean: FloatArray = np.mean([member.predict(features) for member in self._members], axis=0, dtype=np.float64)
        if self.kind == "regression":
            return mean
        logits: FloatArray = np.log(np.maximum(mean, 1e-30)) - np.log(np.maximum(1 - mean, 1e-30))
        return logits

    def arrays(self) -> Arrays:
        """See `Head`: everything is in the members."""
        return {}

    def restore(self, arrays: Arrays) -> None:
        """See `Head`: everything is in the members."""

    def save(self, directory: Path) -> dict[str, Any]:
        """See `Head`; every member has a folder of its own."""
        members = [member.save(directory / str(number)) for number, member in enumerate(self._members)]
        return super().save(directory) | {"members": members}

    def read_files(self, spec: HeadSpec, directory: Path) -> None:
        """See `Head`."""
        from exlm_chem.heads.registry import load_head

        super().read_files(spec, directory)
        self._members = [load_head(member, directory / str(number)) for number, member in enumerate(spec.members)]
        for member in self._members:
            fits = (member.kind, member.columns) == (self.kind, len(self.varying))
            if not fits or any(self.blocks.get(name) != width for name, width in member.blocks.items()):
                raise ExLMError("a member of its head is not for the same columns and blocks")
        if bool(self._members) != bool(len(self.varying)):
            raise ExLMError("its head has no members")


def _is_worth_it(name: str, blocks: list[str]) -> bool:
    """A linear model of a fingerprint alone is far worse than the other heads."""
    return name != "linear" or not COUNTS.issuperset(blocks)
