"""Method "head": the encoder stays as it is, and linear models read its vectors."""

from __future__ import annotations

from typing import ClassVar

from exlm_chem.finetuning.methods.method import Fitted, Material, Report, TrainingMethod
from exlm_chem.heads.linear import fit_linear_head


class HeadTraining(TrainingMethod):
    """Fits a regularised linear model for each column."""

    description: ClassVar[str] = "linear models on the vectors of the frozen encoder"

    def train(self, material: Material, seed: int, report: Report) -> Fitted:  # noqa: ARG002  (it takes no time)
        """See `TrainingMethod`."""
        split, task = material.split, material.task
        groups = [split.groups[index] for index in split.train]
        labels = material.dataset.labels[split.train]
        head, strengths = fit_linear_head(material.vectors[split.train], labels, task.kind, groups, seed)
        names = [column.name for column in task.columns]
        facts = {"strengths": dict(zip(names, strengths, strict=True))}
        return Fitted(material.encoder, material.vectors, head, facts)
