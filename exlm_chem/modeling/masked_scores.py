"""The masked language model's scores: of tokens at masks, and of all paths through the states."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from exlm_chem.modeling.alignment import log_likelihood
from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.modeling.encoder import ExLMEncoder
from exlm_chem.modeling.inputs import MaskedInputs
from exlm_chem.modeling.outputs import ExLMOutput, MaskedLMOutput, StateGraph
from exlm_chem.modeling.transitions import TransitionHead


class LMHead(nn.Module):
    """Scores of every token; the decoder is the token embedding itself."""

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        """Map (..., D) features to (..., V) logits with the (V, D) embedding."""
        return F.linear(self.norm(F.gelu(self.dense(features))), embedding, self.bias)


class HoldsEncoder(Protocol):
    """A model around an encoder."""

    encoder: ExLMEncoder


class MaskedScores:
    """What follows from an encoder's output, for every class of model that has these parts.

    Attributes
    ----------
    model : HoldsEncoder
        The encoder, whose token embedding is the decoder of the head too.
    lm_head : LMHead
        What scores tokens.
    transitions : TransitionHead or None
        What scores the ways between states; None for "mlm".
    molecule_heads : nn.ModuleDict
        What each molecule-level objective predicts from the embedding.
    """

    model: HoldsEncoder
    lm_head: LMHead
    transitions: TransitionHead | None
    molecule_heads: nn.ModuleDict

    def make_heads(self, config: ExLMConfig) -> None:
        """Make all parts but the encoder."""
        self.lm_head = LMHead(config)
        self.transitions = TransitionHead(config) if config.objective == "exlm" else None
        heads = {name: nn.Linear(config.hidden_size, size) for name, size in config.molecule_objectives.items()}
        self.molecule_heads = nn.ModuleDict(heads)

    def score(self, features: Tensor) -> Tensor:
        """Logits (..., V) of features (..., D)."""
        logits: Tensor = self.lm_head(features, self.model.encoder.tok_embeddings.weight)
        return logits

    def score_masks(self, output: ExLMOutput, inputs: MaskedInputs, guided: bool = False) -> MaskedLMOutput:
        """Score the masked tokens; see `ExLMForMaskedLM.forward`."""
        return self._mlm(output, inputs) if self.transitions is None else self._exlm(output, inputs, guided)

    def _exlm(self, output: ExLMOutput, inputs: MaskedInputs, guided: bool) -> MaskedLMOutput:
        """Score the targets over all paths through the states of an encoder output."""
        assert self.transitions is not None  # noqa: S101 - for the type checker
        index = inputs.rows[:, None], inputs.state_positions
        states = output.last_hidden_state[index]
        logits = self.score(states)
        transitions = self.transitions(states, inputs.state_positions, inputs.state_mask)
        log_probs = logits.to(transitions.dtype).log_softmax(-1).transpose(1, 2)
        match = log_probs.gather(1, inputs.targets[:, :, None].expand(-1, -1, states.shape[1]))
        if guided:
            match = match.masked_fill(~own_states(match, self.transitions.num_states), -torch.inf)
        # A path must end at the last position of the row; where that is no state, nothing emits the last target.
        last = torch.arange(match.shape[1], device=match.device) == (inputs.target_length - 1)[:, None]
        match = match.masked_fill((last & ~inputs.ends_in_state[:, None])[..., None], -torch.inf)
        likelihood = log_likelihood(match, transitions, inputs.target_length, inputs.state_length)
        counted = inputs.num_masked > 0
        surprise = torch.where(likelihood.isfinite() & counted, -likelihood / inputs.target_length, 0.0)
        return MaskedLMOutput(
            loss=surprise.sum() / counted.sum().clamp(min=1),
            num_targets=inputs.num_masked.sum(),
            log_likelihood=likelihood,
            logits=logits,
            graph=StateGraph(
                match, transitions, inputs.target_length, inputs.state_length, inputs.targets, inputs.target_masked
            ),
            encoder=output,
        )

    def _mlm(self, output: ExLMOutput, inputs: MaskedInputs) -> MaskedLMOutput:
        logits = self.score(output.last_hidden_state.flatten(0, 1).index_select(0, inputs.state_positions))
        full = torch.promote_types(logits.dtype, torch.float32)
        token_loss = F.cross_entropy(logits.to(full), inputs.targets, reduction="none")
        number = torch.arange(len(inputs.rows), device=token_loss.device)
        row = number.repeat_interleave(inputs.num_masked, output_size=len(token_loss))
        return MaskedLMOutput(
            loss=token_loss.sum() / max(1, len(token_loss)),
            num_targets=inputs.num_masked.sum(),
            log_likelihood=token_loss.new_zeros(len(number)).index_add(0, row, -token_loss),
            logits=logits,
            graph=None,
            encoder=output,
        )


def own_states(match: Tensor, num_states: int) -> Tensor:
    """Which states belong to which target, bool of shape (M, S): both stand in the order of the tokens."""
    target, state = (torch.arange(size, device=match.device) for size in match.shape[1:])
    return state // num_states == target[:, None]
