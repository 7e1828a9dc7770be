"""``config.json`` as ``transformers`` reads it."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, Final

from transformers import PreTrainedConfig

from exlm_chem.modeling.config_file import ConfigFile
from exlm_chem.modeling.configuration import ExLMConfig as Sizes
from exlm_chem.storage.records import from_json
from exlm_chem.tokenizer import ExLMTokenizer

SIZES: Final = tuple(field.name for field in fields(Sizes))
LABELS: Final = ("problem_type", "id2label", "label2id")
"""What ``config.json`` says of a model that was fine-tuned in transformers."""
OF_THE_FILE: Final = {field.name for field in fields(ConfigFile)} - {"config", "architectures"}
"""What ``config.json`` says of the file that was read: it does not hold for the one that will be written."""


class ExLMConfig(PreTrainedConfig):
    """The sizes of a model: those of `exlm_chem.modeling.configuration.ExLMConfig`, and what Hugging Face adds.

    It takes the fields of either as keywords; by default the vocabulary is that of `ExLMTokenizer`.

    Examples
    --------
    >>> config = ExLMConfig(hidden_size=64)
    >>> config.hidden_size, config.num_states, config.vocab_size
    (64, 4, 430)
    """

    model_type = "exlm"

    def __post_init__(self, **kwargs: Any) -> None:
        """Check the sizes, and give everything its place."""
        tokenizer = ExLMTokenizer()
        defaults = {"vocab_size": tokenizer.vocab_size, "mask_token_id": tokenizer.mask_id}
        given = {name: value for name, value in kwargs.items() if name in SIZES}
        sizes = asdict(from_json(Sizes, defaults | given))
        # weights may be stored in half precision; as everywhere here they are read as float32
        self.dtype: Any = self.dtype or "float32"
        others = {name: kwargs[name] for name in kwargs.keys() - given.keys() - OF_THE_FILE}
        super().__post_init__(**sizes, **others)

    @property
    def sizes(self) -> Sizes:
        """What the parts of the model are made from; an impossible value is refused."""
        return from_json(Sizes, {name: getattr(self, name) for name in SIZES})
