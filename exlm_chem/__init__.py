"""ExLM for chemistry: pretrain on SMILES, embed molecules, predict their properties.

The public names are loaded when they are first used, so ``import exlm_chem`` takes milliseconds and loads neither torch
nor deepchem.

Examples
--------
>>> import exlm_chem
>>> "Predictor" in dir(exlm_chem)
True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exlm_chem.embedding.deepchem import ExLMFeaturizer
    from exlm_chem.embedding.deepchem_model import ExLMModel
    from exlm_chem.embedding.embedder import ExLM
    from exlm_chem.embedding.sklearn import ExLMTransformer
    from exlm_chem.generation.infill import Infiller
    from exlm_chem.predictors.predictor import Predictor
    from exlm_chem.tokenizer import ExLMTokenizer

__version__ = "0.2.0"
__all__ = [
    "ExLM",
    "ExLMFeaturizer",
    "ExLMModel",
    "ExLMTokenizer",
    "ExLMTransformer",
    "Infiller",
    "Predictor",
    "__version__",
]

_MODULE_OF = {
    "ExLM": "exlm_chem.embedding.embedder",
    "ExLMFeaturizer": "exlm_chem.embedding.deepchem",
    "ExLMModel": "exlm_chem.embedding.deepchem_model",
    "ExLMTokenizer": "exlm_chem.tokenizer",
    "ExLMTransformer": "exlm_chem.embedding.sklearn",
    "Infiller": "exlm_chem.generation.infill",
    "Predictor": "exlm_chem.predictors.predictor",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value  # the next access does not come here any more
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
