"""Head "calibrated": a head whose probabilities are right as often as they say; finetune makes it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.heads.arrays import Arrays, nested, unnested
from exlm_chem.heads.calibration import Calibration, log_odds
from exlm_chem.heads.examples import Examples, Features, FloatArray
from exlm_chem.heads.head import Head
from exlm_chem.heads.spec import HeadSpec


class CalibratedHead(Head):
    """A head around a head, made by `of`, or read.

    Examples
    --------
    >>> from exlm_chem.heads.calibration import Curve
    >>> from exlm_chem.heads.linear import LinearHead
    >>> x = {"exlm": np.linspace(-1, 1, 40, dtype=np.float32)[:, None]}
    >>> head = LinearHead().fit(x, (x["exlm"] > 0).astype(float), "classification", range(40))
    >>> lower = CalibratedHead.of(head, Calibration((Curve(shift=-1.0),)))
    >>> bool((lower.predict(x) < head.predict(x)).all())
    True
    """

    name: ClassVar[str] = "calibrated"
    _head: Head
    _calibration: Calibration

    @classmethod
    def of(cls, head: Head, calibration: Calibration) -> Self:
        """Put curves, one for each column, around a head that is fitted."""
        made = cls()
        made.kind, made.columns, made.blocks, made.settings = head.kind, head.columns, head.blocks, {}
        made.choices = head.choices
        made._head, made._calibration = head, calibration
        made._mean, made._scale = np.zeros(head.columns), np.ones(head.columns)
        return made

    def fit_columns(self, examples: Examples) -> None:  # noqa: ARG002  (it learns nothing here)
        """Refuse: it stands around a head that is fitted."""
        raise ExLMError("head 'calibrated' is made by finetune around another one; name that one")

    @property
    def uncalibrated(self) -> Head:
        """The head that it stands around."""
        return self._head

    @property
    def member_shares(self) -> FloatArray:
        """See `Head`."""
        return self._head.member_shares

    def predict_members(self, features: Features) -> NDArray[np.float32]:
        """See `Head`; what each says goes through the curves too."""
        answers = [self._calibration.apply(said) for said in self._head.predict_members(features)]
        return np.stack(answers).astype(np.float32)

    def outputs(self, features: Features) -> FloatArray:
        """See `Head`."""
        return log_odds(self._calibration.apply(self._head.predict(features)))

    def described(self) -> HeadSpec:
        """See `Head`."""
        return replace(
            super().described(), details=self._calibration.to_json(), members=[asdict(self._head.described())]
        )

    def arrays(self) -> Arrays:
        """See `Head`: those of the head in it."""
        return nested(0, self._head.everything())

    def take(self, spec: HeadSpec, arrays: Arrays) -> None:
        """See `Head`."""
        from exlm_chem.heads.registry import restored_head

        super().take(spec, arrays)
        self._calibration = Calibration.from_json(spec.details)
        if len(spec.members) != 1 or len(self._calibration.curves) != self.columns:
            raise ExLMError("it must hold one head, and a curve for each of its columns")
        self._head = restored_head(spec.members[0], unnested(0, arrays))
        if (self._head.kind, self._head.columns, self._head.blocks) != (self.kind, self.columns, self.blocks):
            raise ExLMError("the head in it is not for the same columns and blocks")

    def restore(self, arrays: Arrays) -> None:
        """See `Head`: everything is in the head in it."""
