"""Method "head": the encoder stays as it is, and a head reads its vectors and other features."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from exlm_chem.finetuning.choice import best_head, fit_head, name_of_scores, score_head
from exlm_chem.finetuning.methods.method import Fitted, Material, Report, TrainingMethod
from exlm_chem.finetuning.metrics import MAIN_METRIC
from exlm_chem.finetuning.out_of_fold import out_of_fold
from exlm_chem.finetuning.search import Found, search
from exlm_chem.heads.ensemble import EnsembleHead
from exlm_chem.heads.head import Head
from exlm_chem.heads.registry import make_head


def _searched(name: str, material: Material, seed: int, trials: int, report: Report) -> Found:
    """Judge a head as it is, and with so many other hyper-parameters."""
    metric = MAIN_METRIC[material.task.kind]
    return search(partial(score_head, name, material, seed), make_head(name).space(), trials, metric, seed, report)


class HeadTraining(TrainingMethod):
    """Fits a head on the chosen blocks of features."""

    description: ClassVar[str] = "a head on features; the encoder stays as it is"

    def train(self, material: Material, seed: int, report: Report) -> Fitted:
        """See `TrainingMethod`."""
        names, trials, said = material.options.heads, material.options.search, []
        report(0.0, f"{', '.join(names)} on {', '.join(material.features)}")
        found, choices = dict.fromkeys(names, Found()), {}
        if len(names) > 1 or trials:
            found = {name: _searched(name, material, seed, trials or 0, report) for name in names}
            scores = {name: one.score for name, one in found.items()}
            names = (best_head(scores, material),)
            if len(scores) > 1:
                said = [
                    f"seed {seed}: head {names[0]} is chosen of {', '.join(scores)}, by molecules that were held out"
                ]
                choices = {"head": names[0], name_of_scores("scores of the heads", material): scores}
        best = found[names[0]]
        if trials:
            said.append(f"seed {seed}: {best}")
            choices[name_of_scores("search", material)] = best.to_json()
        train = np.asarray(material.split.train)
        head = fit_head(names[0], material, train, seed, parameters=best.parameters)
        head.choices = {**choices, **head.choices}
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
