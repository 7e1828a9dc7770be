"""Method "head": the encoder stays as it is, and a head reads its vectors and other features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from exlm_chem.finetuning.choice import choose_head, fit_head
from exlm_chem.finetuning.kept import out_of_fold
from exlm_chem.finetuning.methods.method import Fitted, Material, Report, TrainingMethod
from exlm_chem.heads.ensemble import EnsembleHead
from exlm_chem.heads.head import Head


class HeadTraining(TrainingMethod):
    """Fits a head on the chosen blocks of features."""

    description: ClassVar[str] = "a head on features; the encoder stays as it is"

    def train(self, material: Material, seed: int, report: Report) -> Fitted:
        """See `TrainingMethod`."""
        names, said = material.options.heads, []
        report(0.0, f"{', '.join(names)} on {', '.join(material.features)}")
        scores: dict[str, float | None] = {}
        if len(names) > 1:
            name, scores = choose_head(names, material, seed)
            said = [f"seed {seed}: head {name} is chosen of {', '.join(names)}, by molecules that were held out"]
            names = (name,)
        head = fit_head(names[0], material, np.asarray(material.split.train), seed)
        if scores:
            head.choices = {"head": head.name, "scores of the heads, cross-validated": scores, **head.choices}
        return Fitted(material.encoder, material.vectors, head, {"head": head.name, "choices": head.choices}, said)

    def combine(self, material: Material, fitted: Sequence[Fitted]) -> Fitted:
        """See `TrainingMethod`: all heads are kept, and their mean is the answer."""
        head = EnsembleHead.of([one.head for one in fitted])
        return Fitted(material.encoder, material.vectors, head, {"head": head.name, "choices": head.choices})

    def out_of_fold(self, material: Material, head: Head, seed: int) -> NDArray[Any]:
        """See `TrainingMethod`."""
        known = np.asarray(material.split.train)

        def fit_predict(
            train: NDArray[np.int64], held_out: NDArray[np.int64], columns: NDArray[np.int64]
        ) -> NDArray[np.float32]:
            inside = known[train]
            labels, weights, bounds = material.labels(inside, columns)
            features, groups = material.rows(inside), material.groups(inside)
            refitted = head.refit(features, labels, groups, columns, seed, weights, bounds)
            return refitted.predict(material.rows(known[held_out]))

        predictions = super().out_of_fold(material, head, seed)
        labels, _, _ = material.labels(known)
        predictions[known] = out_of_fold(fit_predict, labels, material.groups(known), seed)
        return predictions
