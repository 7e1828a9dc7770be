"""Method "lora": the attention of the encoder is changed a little, by matrices of low rank, together with the head."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from exlm_chem.finetuning.dataset import Dataset
from exlm_chem.finetuning.methods.adapters import check_peft
from exlm_chem.finetuning.methods.full import FullTraining
from exlm_chem.finetuning.splits import Split
from exlm_chem.terms import Method


class LoraTraining(FullTraining):
    """Trains as method "full" does, with few weights of the encoder: less can be forgotten."""

    method: ClassVar[Method] = "lora"
    description: ClassVar[str] = "low-rank changes of the encoder's attention (LoRA), trained with the head"

    def check(self, dataset: Dataset, split: Split, weights: NDArray[np.float64] | None = None) -> None:
        """See `TrainingMethod`."""
        check_peft()
        super().check(dataset, split, weights)
