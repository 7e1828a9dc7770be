"""The ExLM model (arXiv 2501.13397): expansion, encoder, transitions, alignment, and the models made of them.

The names are loaded when they are first used: what a model's directory says can be read without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exlm_chem.modeling.configuration import ExLMConfig
    from exlm_chem.modeling.exlm import ExLMForMaskedLM, ExLMModel
    from exlm_chem.modeling.inputs import MaskedInputs, prepare_inputs

__all__ = [
    "ExLMConfig",
    "ExLMForMaskedLM",
    "ExLMModel",
    "MaskedInputs",
    "prepare_inputs",
]

_MODULE_OF = {
    "ExLMConfig": "configuration",
    "ExLMForMaskedLM": "exlm",
    "ExLMModel": "exlm",
    "MaskedInputs": "inputs",
    "prepare_inputs": "inputs",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value  # the next access does not come here any more
    return value
