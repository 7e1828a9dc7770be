"""ExLM: the encoder over expanded tokens, and its masked language model (reference sections 2 to 9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from exlm_chem.errors import ExLMError
from exlm_chem.modeling.alignment import log_likelihood
from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.modeling.encoder import ExLMEncoder
from exlm_chem.modeling.expansion import Expansion, expand_tokens
from exlm_chem.modeling.losses import REGRESSIONS, Kind, property_loss
from exlm_chem.modeling.outputs import ExLMOutput, MaskedLMOutput, StateGraph
from exlm_chem.modeling.serialization import SavedModel, init_weights
from exlm_chem.modeling.transitions import TransitionHead

Pooling = Literal["mean", "first"]
NOT_A_TARGET = -100


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
        return self.encode(self.expand(input_ids, expand))

    def expand(self, input_ids: Tensor, expand: Tensor | None = None) -> Expansion:
        """Expand the tokens of a batch as the objective says; see `forward`."""
        config = self.config
        if config.objective == "mlm":
            marks = torch.zeros_like(input_ids, dtype=torch.bool)
        else:
            marks = (input_ids == config.bos_token_id) | (input_ids == config.eos_token_id)
            marks = marks if expand is None else marks | expand
        return expand_tokens(input_ids, marks, config.num_states, config.pad_token_id)

    def encode(self, expansion: Expansion) -> ExLMOutput:
        """Encode sequences that are expanded already."""
        *hidden_states, features = self.encoder(
            expansion.input_ids, expansion.token_index, expansion.state_index, expansion.padding
        )
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
        if pooling == "first":
            return features[:, 0]
        ids = expansion.input_ids
        special = (ids == self.config.bos_token_id) | (ids == self.config.eos_token_id) | expansion.padding
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
    >>> labels = torch.tensor([[-100, 7, -100, -100]])
    >>> output = ExLMForMaskedLM(config)(torch.tensor([[0, 4, 6, 2]]), labels)
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
        self, input_ids: Tensor, labels: Tensor, molecule_targets: dict[str, Tensor] | None = None
    ) -> MaskedLMOutput:
        """Score the masked tokens, and the molecule-level targets by the embedding of the same masked molecules.

        Parameters
        ----------
        input_ids : Tensor of int64, shape (B, T)
            Tokens with masks, padded on the right.
        labels : Tensor of int64, shape (B, T)
            The original token where one is to be predicted, -100 elsewhere. A row without any counts for the
            molecule-level objectives only.
        molecule_targets : dict of str to Tensor of shape (B, numbers), optional
            For every molecule-level objective what is to be predicted; NaN where unknown.
        """
        masked = labels != NOT_A_TARGET
        encoder = self.model(input_ids, masked)
        output = self._mlm(encoder, labels) if self.transitions is None else self._exlm(encoder, input_ids, labels)
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

    def _exlm(self, output: ExLMOutput, input_ids: Tensor, labels: Tensor) -> MaskedLMOutput:
        targets, target_length = self.targets(input_ids, labels)
        return self.align(output, targets, target_length, (labels != NOT_A_TARGET).sum(1))

    def targets(self, input_ids: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The tokens to emit, (B, M) padded on the right, and how many, (B,): masked tokens and ``<s>``, ``</s>``."""
        config = self.config
        special = (input_ids == config.bos_token_id) | (input_ids == config.eos_token_id)
        wanted = torch.where(special, input_ids, labels)
        emitted = wanted != NOT_A_TARGET
        target_length = emitted.sum(1)
        order = emitted.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, : int(target_length.max())]
        missing = torch.arange(order.shape[1], device=order.device) >= target_length[:, None]
        return wanted.gather(1, order).masked_fill(missing, config.pad_token_id), target_length

    def align(self, output: ExLMOutput, targets: Tensor, target_length: Tensor, num_masked: Tensor) -> MaskedLMOutput:
        """Score targets (B, M) over all paths through the states of an encoder output.

        Rows with `num_masked` (B,) = 0 have nothing to be learnt from and do not count in the loss.
        """
        if self.transitions is None:
            raise ExLMError('the objective "mlm" has no states to align; make the model with objective "exlm".')
        expansion = output.expansion
        states = expansion.gather_states(output.last_hidden_state)
        logits = self.score(states)
        transitions = self.transitions(states, expansion.state_positions, expansion.state_mask)
        log_probs = logits.to(transitions.dtype).log_softmax(-1).transpose(1, 2)
        match = log_probs.gather(1, targets[:, :, None].expand(-1, -1, states.shape[1]))
        likelihood = log_likelihood(match, transitions, target_length, expansion.state_length)
        # A path must end at the last position of the row; where that is no state, there is no path.
        last = expansion.state_positions.gather(1, (expansion.state_length - 1).clamp(min=0)[:, None])[:, 0]
        likelihood = torch.where(last == expansion.length - 1, likelihood, -torch.inf)
        counted = num_masked > 0
        per_target = torch.where(likelihood.isfinite() & counted, likelihood / target_length, 0.0)
        return MaskedLMOutput(
            loss=-per_target.sum() / counted.sum().clamp(min=1),
            num_targets=num_masked.sum(),
            log_likelihood=likelihood,
            logits=logits,
            graph=StateGraph(match, transitions, target_length, expansion.state_length, targets),
            encoder=output,
        )

    def _mlm(self, output: ExLMOutput, labels: Tensor) -> MaskedLMOutput:
        masked = labels != NOT_A_TARGET
        logits = self.score(output.last_hidden_state[masked])
        full = torch.promote_types(logits.dtype, torch.float32)
        token_loss = F.cross_entropy(logits.to(full), labels[masked], reduction="none")
        row = masked.nonzero()[:, 0]
        return MaskedLMOutput(
            loss=token_loss.sum() / masked.sum().clamp(min=1),
            num_targets=masked.sum(),
            log_likelihood=torch.zeros(len(labels), dtype=full, device=labels.device).index_add(0, row, -token_loss),
            logits=logits,
            graph=None,
            encoder=output,
        )
