"""All methods of training by their names, which are those of `exlm_chem.terms.Method`."""

from __future__ import annotations

from typing import Final

from exlm_chem.finetuning.methods.full import FullTraining
from exlm_chem.finetuning.methods.head import HeadTraining
from exlm_chem.finetuning.methods.lora import LoraTraining
from exlm_chem.finetuning.methods.method import TrainingMethod
from exlm_chem.terms import Method

METHODS: Final[dict[Method, TrainingMethod]] = {
    "head": HeadTraining(),
    "lora": LoraTraining(),
    "full": FullTraining(),
}
