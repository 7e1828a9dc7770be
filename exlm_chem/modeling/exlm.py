"""ExLM: the encoder over expanded tokens, and its masked language model (reference sections 2 to 9)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from exlm_chem.modeling.alignment import log_likelihood
from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.modeling.encoder import ExLMEncoder
from exlm_chem.modeling.expansion import Expansion
from exlm_chem.modeling.inputs import MaskedInputs, expand_inputs, special_tokens
from exlm_chem.modeling.outputs import ExLMOutput, MaskedLMOutput, StateGraph
from exlm_chem.modeling.property_loss import REGRESSIONS, property_loss
from exlm_chem.modeling.serialization import SavedModel, init_weights
from exlm_chem.modeling.transitions import TransitionHead
from exlm_chem.terms import Kind, Pooling


class ExLMModel(SavedModel):
    """The encoder: token ids in, features of every expanded position out.

    Parameters
    ----------
    config : ExLMConfig

    Examples
    --------
    >>> model = ExLMModel(ExLMConfig(vocab_size=20, hidden_size=32, num_hidden_layers=1, num_attention_heads=4)).eval()
    >>> model(torch.tensor([[0, 5, 6, 2]])).last_hidden_state.shape  # <s> and </s> have 4 states each
    torch.Size([1, 10, 32])
    >>> model.embed(torch.tensor([[0, 5, 6, 2]])).shape
    torch.Size([1, 32])
    """

    encoder_prefix = ""

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__(config)
        self.encoder = ExLMEncoder(config)
        init_weights(self, config.initializer_range)

    def forward(self, input_ids: Tensor, expand: Tensor | None = None) -> ExLMOutput:
        """Encode a batch.

        Parameters
        ----------
        input_ids : Tensor of int64, shape (B, T)
            Tokens, padded on the right.
        expand : Tensor of bool, shape (B, T), optional
            Tokens to expand besides ``<s>`` and ``</s>``, which always are. The objective "mlm" expands nothing.
        """
        return self.encode(expand_inputs(self.config, input_ids, expand))

    def encode(self, expansion: Expansion) -> ExLMOutput:
        """Encode sequences that are expanded already."""
        *hidden_states, features = self.encoder(expansion)
        return ExLMOutput(features, expansion, hidden_states)

    def embed(self, input_ids: Tensor, pooling: Pooling = "mean") -> Tensor:
        """One vector per row.

        Parameters
        ----------
        input_ids : Tensor of int64, shape (B, T)
            Tokens, padded on the right.
        pooling : {"mean", "first"}
            Mean over the tokens that are not special, or the first state of ``<s>`` (the published classifier's).

        Returns
        -------
        Tensor, shape (B, D)
        """
        return self.pool(self(input_ids), pooling)

    def pool(self, output: ExLMOutput, pooling: Pooling = "mean") -> Tensor:
        """Pool an encoder output to (B, D); see `embed`."""
        features, expansion = output.last_hidden_state, output.expansion
        features = features.to(torch.promote_types(features.dtype, torch.float32))
        if pooling == "first":
            return features[:, 0]
        special = special_tokens(self.config, expansion.input_ids) | expansion.padding
        # The states of a token count as one token together.
        share = torch.where(expansion.state_index > 0, 1.0 / self.config.num_states, 1.0).to(features.dtype)
        weight = share.masked_fill(special, 0.0)[:, None]
        return (weight @ features)[:, 0] / weight.sum(2).clamp(min=1)


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


class ExLMForMaskedLM(SavedModel):
    """The masked language model, with objective "exlm" or "mlm".

    Parameters
    ----------
    config : ExLMConfig

    Examples
    --------
    >>> config = ExLMConfig(vocab_size=20, hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
    >>> from exlm_chem.modeling.inputs import prepare_inputs
    >>> inputs = prepare_inputs(config, torch.tensor([[0, 4, 6, 2]]), torch.tensor([[-100, 7, -100, -100]]))
    >>> output = ExLMForMaskedLM(config)(inputs)
    >>> output.graph.transitions.shape, output.graph.targets.tolist()  # <s>, the masked token and </s> on 12 states
    (torch.Size([1, 12, 12]), [[0, 7, 2]])
    """

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__(config)
        self.model = ExLMModel(config)
        self.lm_head = LMHead(config)
        self.transitions = TransitionHead(config) if config.objective == "exlm" else None
        heads = {name: nn.Linear(config.hidden_size, size) for name, size in config.molecule_objectives.items()}
        self.molecule_heads = nn.ModuleDict(heads)
        init_weights(self, config.initializer_range)

    def forward(
        self, inputs: MaskedInputs, molecule_targets: dict[str, Tensor] | None = None, guided: bool = False
    ) -> MaskedLMOutput:
        """Score the masked tokens, and the molecule-level targets by the embedding of the same masked molecules.

        Parameters
        ----------
        inputs : MaskedInputs
            From `prepare_inputs`.
        molecule_targets : dict of str to Tensor of shape (B, numbers), optional
            For every molecule-level objective what is to be predicted; NaN where unknown.
        guided : bool
            Only paths on which every token is emitted by one of its own states count (objective "exlm"). Not in the
            paper; see `PretrainingOptions.guided`.
        """
        encoder = self.model.encode(inputs.expansion)
        output = self._mlm(encoder, inputs) if self.transitions is None else self._exlm(encoder, inputs, guided)
        if not molecule_targets:
            return output
        embedding = self.model.pool(encoder)
        losses = {name: self._molecule_loss(name, embedding, values) for name, values in molecule_targets.items()}
        return replace(output, molecule_losses=losses)

    def _molecule_loss(self, name: str, embedding: Tensor, targets: Tensor) -> Tensor:
        """Squared error of standardised numbers, or cross-entropy of bits; the mean over what is known."""
        kind: Kind = "regression" if name in REGRESSIONS else "classification"
        predicted = self.molecule_heads[name](embedding)
        return property_loss(predicted.to(torch.promote_types(predicted.dtype, torch.float32)), targets, kind)

    def score(self, features: Tensor) -> Tensor:
        """Logits (..., V) of features (..., D)."""
        logits: Tensor = self.lm_head(features, self.model.encoder.tok_embeddings.weight)
        return logits

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
            match = match.masked_fill(~self._own_states(match), -torch.inf)
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
            graph=StateGraph(match, transitions, inputs.target_length, inputs.state_length, inputs.targets),
            encoder=output,
        )

    def _own_states(self, match: Tensor) -> Tensor:
        """Which states belong to which target, bool of shape (M, S): both stand in the order of the tokens."""
        target, state = (torch.arange(size, device=match.device) for size in match.shape[1:])
        return state // self.config.num_states == target[:, None]

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
