"""The numbers that define an ExLM model, and the presets by name."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from exlm_chem.errors import ExLMError
from exlm_chem.storage import read_json, write_json
from exlm_chem.terms import Objective

CONFIG_NAME = "config.json"


@dataclass(frozen=True)
class ExLMConfig:
    """Architecture of an ExLM model.

    Parameters
    ----------
    vocab_size : int
        Number of tokens, V.
    hidden_size : int
        Width D of the hidden states.
    num_hidden_layers : int
        Number of encoder layers.
    num_attention_heads : int
        Number H of attention heads; the transition matrix mixes as many. ``hidden_size / H`` must be a multiple of 4,
        because two position axes rotate pairs of numbers.
    intermediate_size : int
        Width of the feed-forward layers.
    num_states : int
        States k that an expanded token becomes.
    max_positions : int
        Longest expanded sequence L that the model reads.
    objective : {"exlm", "mlm"}
        ``"mlm"`` is the plain masked language model on the same encoder: nothing is expanded.
    hidden_dropout, attention_dropout : float
        Dropout on the embedding and the outputs of every block, and on the attention weights.
    norm_first : bool
        Layer norm before attention and feed-forward (pre-norm) instead of after.
    layer_norm_eps : float
        Epsilon of all layer norms.
    initializer_range : float
        Standard deviation of the initial weights.
    molecule_objectives : dict of str to int
        Molecule-level objectives and how many numbers each predicts from the embedding.
    bos_token_id, pad_token_id, eos_token_id, unk_token_id, mask_token_id : int
        Ids of the special tokens.

    Raises
    ------
    ExLMError
        When a value is impossible; the message names it.

    Notes
    -----
    The published model is the preset ``"paper"`` (sections 3, 5 and 10 of the reference specification).

    Examples
    --------
    >>> ExLMConfig.preset("tiny", vocab_size=100).hidden_size
    96
    >>> ExLMConfig(vocab_size=100, num_states=4, max_positions=64).max_tokens
    58
    """

    vocab_size: int
    hidden_size: int = 256
    num_hidden_layers: int = 6
    num_attention_heads: int = 8
    intermediate_size: int = 1024
    num_states: int = 4
    max_positions: int = 2048
    objective: Objective = "exlm"
    hidden_dropout: float = 0.0
    attention_dropout: float = 0.0
    norm_first: bool = True
    layer_norm_eps: float = 1e-5
    initializer_range: float = 0.02
    molecule_objectives: dict[str, int] = field(default_factory=dict)
    bos_token_id: int = 0
    pad_token_id: int = 1
    eos_token_id: int = 2
    unk_token_id: int = 3
    mask_token_id: int = 4

    def __post_init__(self) -> None:
        sizes = (
            "vocab_size",
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "intermediate_size",
            "num_states",
        )
        for name in sizes:
            if getattr(self, name) < 1:
                raise ExLMError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if self.hidden_size % (4 * self.num_attention_heads):
            multiple = f"4 x num_attention_heads = {4 * self.num_attention_heads}"
            raise ExLMError(f"hidden_size {self.hidden_size} must be a multiple of {multiple}.")
        if self.objective not in ("exlm", "mlm"):
            raise ExLMError(f'objective must be "exlm" or "mlm", not "{self.objective}".')
        if self.max_positions <= self.num_states:
            raise ExLMError(f"max_positions {self.max_positions} must be larger than num_states {self.num_states}.")

    @property
    def max_tokens(self) -> int:
        """Tokens, ``<s>`` and ``</s>`` included, of the longest unmasked sequence that the model reads."""
        return self.max_positions - 2 * (self.num_states - 1) if self.objective == "exlm" else self.max_positions

    @classmethod
    def preset(cls, name: str, vocab_size: int, **changes: Any) -> ExLMConfig:
        """Make the configuration of a named size.

        Parameters
        ----------
        name : {"tiny", "small", "base", "paper"}
            About 0.5, 5, 40 and 90 million parameters.
        vocab_size : int
            Number of tokens.
        **changes
            Fields that differ from the preset.

        Returns
        -------
        ExLMConfig
        """
        if name not in PRESETS:
            raise ExLMError(f'there is no preset "{name}"; choose one of {", ".join(PRESETS)}.')
        return replace(cls(vocab_size=vocab_size, **PRESETS[name]), **changes)

    def save(self, directory: str | Path, architecture: str, options: dict[str, Any] | None = None) -> None:
        """Write ``config.json`` into a directory, with the name and the options of the model class."""
        content = {"model_type": "exlm", "architectures": [architecture], "options": options or {}, **asdict(self)}
        write_json(Path(directory) / CONFIG_NAME, content)

    @classmethod
    def load(cls, directory: str | Path) -> ExLMConfig:
        """Read ``config.json`` of a directory; keys that are not fields are left alone."""
        content = read_config(directory)
        return cls(**{field.name: content[field.name] for field in fields(cls) if field.name in content})


def read_config(directory: str | Path) -> dict[str, Any]:
    """Read ``config.json`` of a model directory as it is."""
    path = Path(directory) / CONFIG_NAME
    if not path.is_file():
        raise ExLMError(f"{path} is missing: {directory} is not a model directory.")
    content = read_json(path, "copy the directory again")
    if content.get("model_type") != "exlm" or "vocab_size" not in content:
        raise ExLMError(
            f'{path} does not describe an ExLM model ("model_type" is not "exlm" or "vocab_size" is missing).'
        )
    return content


PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {
        "hidden_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 384,
        "max_positions": 1024,
    },
    "small": {"hidden_size": 256, "num_hidden_layers": 6, "num_attention_heads": 8, "intermediate_size": 1024},
    "base": {"hidden_size": 512, "num_hidden_layers": 12, "num_attention_heads": 8, "intermediate_size": 2048},
    "paper": {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "hidden_dropout": 0.1,
        "attention_dropout": 0.1,
    },
}
