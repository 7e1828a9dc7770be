"""Head "ensemble": the mean of heads that were fitted with different seeds; finetune makes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.heads.arrays import Arrays
from exlm_chem.heads.calibration import log_odds
from exlm_chem.heads.examples import Examples, Features, FloatArray
from exlm_chem.heads.head import Head
from exlm_chem.heads.members import HeadOfMembers
from exlm_chem.heads.spec import HeadSpec


class EnsembleHead(HeadOfMembers):
    """Heads on the same blocks, made by `of`, or read.

    Examples
    --------
    >>> from exlm_chem.heads.linear import LinearHead
    >>> x = {"exlm": np.linspace(-1, 1, 40, dtype=np.float32)[:, None]}
    >>> heads = [LinearHead().fit(x, 3.0 * x["exlm"], "regression", range(40), seed) for seed in (0, 1)]
    >>> both = EnsembleHead.of(heads)
    >>> bool(np.allclose(both.predict(x), (heads[0].predict(x) + heads[1].predict(x)) / 2)), len(both.member_shares)
    (True, 2)
    """

    name: ClassVar[str] = "ensemble"

    @classmethod
    def of(cls, members: Sequence[Head]) -> Self:
        """Put heads together that are fitted, for the same columns on the same blocks."""
        made, first = cls(), members[0]
        made.kind, made.columns, made.blocks, made.settings = first.kind, first.columns, first.blocks, {}
        made.choices = {"ensemble": f"the mean of {len(members)} heads", "heads": [one.name for one in members]}
        made._members = list(members)
        made._mean, made._scale = np.zeros(first.columns), np.ones(first.columns)
        return made

    def fit_columns(self, examples: Examples) -> None:  # noqa: ARG002  (it learns nothing here)
        """Refuse: it is made of heads that are fitted."""
        raise ExLMError("head 'ensemble' is made by finetune --ensemble of others; name one of them")

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
        """See `Head`: every member with a seed of its own."""
        members = enumerate(self._members)
        return self.of([m.refit(features, labels, groups, columns, seed + n, weights, bounds) for n, m in members])

    @property
    def member_shares(self) -> FloatArray:
        """See `Head`: every head counts the same, and its members as in it."""
        return np.concatenate([member.member_shares for member in self._members]) / len(self._members)

    def predict_members(self, features: Features) -> NDArray[np.float32]:
        """See `Head`."""
        return np.concatenate([member.predict_members(features) for member in self._members])

    def outputs(self, features: Features) -> FloatArray:
        """See `Head`."""
        mean: FloatArray = np.mean([member.predict(features) for member in self._members], axis=0, dtype=np.float64)
        return mean if self.kind == "regression" else log_odds(mean)

    def take(self, spec: HeadSpec, arrays: Arrays) -> None:
        """See `Head`."""
        super().take(spec, arrays)
        own = (self.kind, self.columns, self.blocks)
        if not self._members or any((one.kind, one.columns, one.blocks) != own for one in self._members):
            raise ExLMError("its heads are not for the same columns and blocks, or it has none")
