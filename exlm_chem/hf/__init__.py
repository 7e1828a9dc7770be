"""ExLM for Hugging Face: importing this makes the classes of ``transformers`` read our model directories.

``AutoConfig``, ``AutoTokenizer``, ``AutoModel``, ``AutoModelForMaskedLM``, ``AutoModelForSequenceClassification``,
``pipeline``, ``Trainer`` and, where it is installed, sentence-transformers; nothing that a directory holds is run.

Examples
--------
>>> import exlm_chem.hf
>>> from transformers import AutoConfig
>>> AutoConfig.for_model("exlm", hidden_size=64).num_states
4
"""

try:
    from transformers import (
        AutoConfig,
        AutoModel,
        AutoModelForMaskedLM,
        AutoModelForSequenceClassification,
        AutoTokenizer,
        PreTrainedTokenizerFast,
    )
except ImportError as error:
    raise ImportError("exlm_chem.hf needs transformers; run: pip install 'exlm-chem[hf]'") from error

from exlm_chem.hf.classification import ExLMForSequenceClassification
from exlm_chem.hf.configuration import ExLMConfig
from exlm_chem.hf.models import ExLMForMaskedLM, ExLMModel

__all__ = ["ExLMConfig", "ExLMForMaskedLM", "ExLMForSequenceClassification", "ExLMModel"]

AutoConfig.register(ExLMConfig.model_type, ExLMConfig, exist_ok=True)
AutoTokenizer.register(ExLMConfig, PreTrainedTokenizerFast, exist_ok=True)
AutoModel.register(ExLMConfig, ExLMModel, exist_ok=True)
AutoModelForMaskedLM.register(ExLMConfig, ExLMForMaskedLM, exist_ok=True)
AutoModelForSequenceClassification.register(ExLMConfig, ExLMForSequenceClassification, exist_ok=True)
