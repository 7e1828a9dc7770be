"""The numbers that define an ExLM model, and the presets by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from exlm_chem.errors import ExLMError
from exlm_chem.storage.records import Between, check_fields
from exlm_chem.terms import Objective, Pooling, StateGraphKind


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
    state_graph : {"full", "next", "even", "lanes"}
        Where transitions lead: to all later states, as published; to the states of the next mask only (the restricted
        graph); or to these, all equally probable (no transitions are learned). "lanes": state s of a mask follows
        state s of the mask before, and the first choice is even: a mixture of k answers to all masks together.
    second_position : bool
        Whether the encoder is told s, the number of a state, besides p; without it the states of a mask are alike for
        the encoder, and only the transitions know one from another.
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
    The published model is the preset ``"paper"``.

    Examples
    --------
    >>> ExLMConfig.preset("tiny", vocab_size=100).hidden_size
    96
    >>> ExLMConfig(vocab_size=100, num_states=4, max_positions=64).max_tokens
    58
    """

    vocab_size: Annotated[int, Between(1, 2**24)]
    hidden_size: Annotated[int, Between(1, 2**16)] = 256
    num_hidden_layers: Annotated[int, Between(1, 2**12)] = 6
    num_attention_heads: Annotated[int, Between(1, 2**12)] = 8
    intermediate_size: Annotated[int, Between(1, 2**20)] = 1024
    num_states: Annotated[int, Between(1, 2**10)] = 4
    max_positions: Annotated[int, Between(2, 2**24)] = 2048
    objective: Objective = "exlm"
    hidden_dropout: Annotated[float, Between(0, 1)] = 0.0
    attention_dropout: Annotated[float, Between(0, 1)] = 0.0
    norm_first: bool = True
    layer_norm_eps: Annotated[float, Between(0, 1)] = 1e-5
    initializer_range: Annotated[float, Between(0, 100)] = 0.02
    state_graph: StateGraphKind = "full"
    second_position: bool = True
    molecule_objectives: dict[str, Annotated[int, Between(1, 2**20)]] = field(default_factory=dict)
    bos_token_id: Annotated[int, Between(0, 2**24)] = 0
    pad_token_id: Annotated[int, Between(0, 2**24)] = 1
    eos_token_id: Annotated[int, Between(0, 2**24)] = 2
    unk_token_id: Annotated[int, Between(0, 2**24)] = 3
    mask_token_id: Annotated[int, Between(0, 2**24)] = 4

    def __post_init__(self) -> None:
        check_fields(self)
        if self.hidden_size % (4 * self.num_attention_heads):
            multiple = f"4 x num_attention_heads = {4 * self.num_attention_heads}"
            raise ExLMError(f"hidden_size {self.hidden_size} must be a multiple of {multiple}")
        if self.max_positions <= self.num_states:
            raise ExLMError(f"max_positions {self.max_positions} must be larger than num_states {self.num_states}")
        if len(set(self.special_ids)) < len(self.special_ids) or max(self.special_ids) >= self.vocab_size:
            ids = ", ".join(map(str, self.special_ids))
            raise ExLMError(
                f"the ids of the special tokens ({ids}) must differ and be below vocab_size {self.vocab_size}"
            )

    @property
    def special_ids(self) -> tuple[int, ...]:
        """Ids of ``<s>``, ``<pad>``, ``</s>``, ``<unk>`` and ``<mask>``."""
        return self.bos_token_id, self.pad_token_id, self.eos_token_id, self.unk_token_id, self.mask_token_id

    @property
    def max_tokens(self) -> int:
        """Tokens, ``<s>`` and ``</s>`` included, of the longest unmasked sequence that the model reads."""
        return self.max_positions - 2 * (self.num_states - 1) if self.objective == "exlm" else self.max_positions

    def vector_width(self, pooling: Pooling = "mean") -> int:
        """Give the length of a vector.

        Examples
        --------
        >>> config = ExLMConfig(vocab_size=100, hidden_size=64, num_states=4)
        >>> config.vector_width("mean+max"), config.vector_width("states")
        (128, 256)
        """
        states = self.num_states if self.objective == "exlm" else 1
        return self.hidden_size * {"mean": 1, "mean+middle": 2, "mean+max": 2, "first": 1, "states": states}[pooling]

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
