"""Method "head": the encoder stays as it is, and linear models read its vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from exlm_chem.features.compute import Features
from exlm_chem.finetuning.kept import out_of_fold
from exlm_chem.finetuning.methods.method import Fitted, Material, Report, TrainingMethod
from exlm_chem.heads.layer import LayerHead
from exlm_chem.heads.linear import fit_linear_head
from exlm_chem.heads.registry import make_head


class HeadTraining(TrainingMethod):
    """Fits a regularised linear model for each column."""

    description: ClassVar[str] = "linear models on the vectors of the frozen encoder"

    def train(self, material: Material, seed: int, report: Report) -> Fitted:  # noqa: ARG002  (it takes no time)
        """See `TrainingMethod`."""
        split, task = material.split, material.task
        groups = [split.groups[index] for index in split.train]
        labels = material.dataset.labels[split.train]
        if not material.options.is_plain:
            chosen = make_head(material.options.head)
            chosen.fit(_rows(material.features, split.train), labels, task.kind, groups, seed)
            return Fitted(material.encoder, material.vectors, chosen, {"head": chosen.name, "choices": chosen.choices})
        head, strengths = fit_linear_head(material.vectors[split.train], labels, task.kind, groups, seed)
        names = [column.name for column in task.columns]
        facts = {"strengths": dict(zip(names, strengths, strict=True))}
        return Fitted(material.encoder, material.vectors, LayerHead.of(head, task.kind), facts)

    def out_of_fold(self, material: Material, seed: int) -> NDArray[Any]:
        """See `TrainingMethod`."""
        known, task, vectors = np.asarray(material.split.train), material.task, material.vectors
        labels, groups = material.dataset.labels[known], [material.split.groups[index] for index in known]

        def fit_predict(
            train: NDArray[np.int64], held_out: NDArray[np.int64], columns: NDArray[np.int64]
        ) -> NDArray[np.float32]:
            own = [groups[index] for index in train]
            if not material.options.is_plain:
                learnt, asked = (_rows(material.features, known[part]) for part in (train, held_out))
                chosen = make_head(material.options.head)
                return chosen.fit(learnt, labels[np.ix_(train, columns)], task.kind, own, seed).predict(asked)
            head, _ = fit_linear_head(vectors[known[train]], labels[np.ix_(train, columns)], task.kind, own, seed)
            return LayerHead.of(head, task.kind).predict({"exlm": vectors[known[held_out]]})

        predictions = super().out_of_fold(material, seed)
        predictions[known] = out_of_fold(fit_predict, labels, groups, seed)
        return predictions


def _rows(features: Features, rows: Sequence[int] | NDArray[np.int64]) -> Features:
    """Take some molecules of all blocks."""
    return {name: values[rows] for name, values in features.items()}
