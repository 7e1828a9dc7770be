"""The ExLM model (arXiv 2501.13397): expansion, encoder, transitions, alignment, and the models made of them."""

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
