"""Method "head": the encoder stays as it is, and a head reads its vectors and other features."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from exlm_chem.features.compute import Features
from exlm_chem.finetuning.kept import out_of_fold
from exlm_chem.finetuning.methods.method import Fitted, Material, Report, TrainingMethod
from exlm_chem.heads.head import Head
from exlm_chem.heads.layer import LayerHead
from exlm_chem.heads.linear import fit_linear_head
from exlm_chem.heads.registry import make_head


class HeadTraining(TrainingMethod):
    """Fits a head on the chosen blocks of features."""

    description: ClassVar[str] = "linear models on the vectors of the frozen encoder"

    def train(self, material: Material, seed: int, report: Report) -> Fitted:  # noqa: ARG002  (it takes no time)
        """See `TrainingMethod`."""
        train = np.asarray(material.split.train)
        columns = np.arange(material.dataset.labels.shape[1])
        head, strengths = _fit(material, train, columns, seed)
        if strengths is None:
            facts = {"head": head.name, "choices": head.choices}
        else:
            names = [column.name for column in material.task.columns]
            facts = {"strengths": dict(zip(names, strengths, strict=True))}
        return Fitted(material.encoder, material.vectors, head, facts)

    def out_of_fold(self, material: Material, seed: int) -> NDArray[Any]:
        """See `TrainingMethod`."""
        known = np.asarray(material.split.train)
        labels, groups = material.dataset.labels[known], [material.split.groups[index] for index in known]

        def fit_predict(
            train: NDArray[np.int64], held_out: NDArray[np.int64], columns: NDArray[np.int64]
        ) -> NDArray[np.float32]:
            head, _ = _fit(material, known[train], columns, seed)
            return head.predict(_rows(material, known[held_out]))

        predictions = super().out_of_fold(material, seed)
        predictions[known] = out_of_fold(fit_predict, labels, groups, seed)
        return predictions


def _fit(
    material: Material, rows: NDArray[np.int64], columns: NDArray[np.int64], seed: int
) -> tuple[Head, list[float | None] | None]:
    """Fit the chosen head on some molecules; give it, and the strengths of a plain one."""
    kind, groups = material.task.kind, [material.split.groups[index] for index in rows]
    places = np.ix_(rows, columns)
    labels, bounds = material.dataset.labels[places], material.dataset.bounds[places]
    weights = None if material.weights is None else material.weights[places]
    if not material.options.is_plain or weights is not None or bounds.any():
        head = make_head(material.options.head)
        return head.fit(_rows(material, rows), labels, kind, groups, seed, weights, bounds), None
    layer, strengths = fit_linear_head(material.vectors[rows], labels, kind, groups, seed)
    return LayerHead.of(layer, kind), strengths


def _rows(material: Material, rows: NDArray[np.int64]) -> Features:
    """Take some molecules of all blocks."""
    return {name: values[rows] for name, values in material.features.items()}
