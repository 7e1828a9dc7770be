"""Low-rank changes of the attention matrices (LoRA) by PEFT, merged into the weights when the training is over.

References
----------
Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022.
"""

from __future__ import annotations

import importlib.util
from typing import Any, Final

from torch import nn

from exlm_chem.errors import ExLMError

MATRICES: Final = r".*\.attn\.(Wqkv|Wo)"
"""Names of the layers that are changed: queries, keys and values, and what comes out of the attention."""


def check_peft() -> None:
    """Refuse to begin without the library."""
    if importlib.util.find_spec("peft") is None:
        raise ExLMError("--method lora needs PEFT; install it with: pip install 'exlm-chem[lora]'")


class Adapters:
    """The changes of one encoder: only they are trained from now on.

    Parameters
    ----------
    encoder : Module
        Gets them in place.
    rank : int
        Of the changes.
    """

    def __init__(self, encoder: nn.Module, rank: int) -> None:
        from peft import LoraConfig, LoraModel

        config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=MATRICES)
        self._tuner: Any = LoraModel(encoder, {"default": config}, "default")

    def merge(self) -> None:
        """Add the changes to the weights, and leave the encoder as plain as it was."""
        self._tuner.merge_and_unload()
