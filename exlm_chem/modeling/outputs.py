"""What the models return."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from exlm_chem.modeling.expansion import Expansion


@dataclass(frozen=True)
class ExLMOutput:
    """What the encoder says of a batch.

    Attributes
    ----------
    last_hidden_state : Tensor, shape (B, L, D)
        Features of every expanded position, after the final layer norm.
    expansion : Expansion
        Which token and state stands at every position.
    hidden_states : list of Tensor, each (B, L, D)
        Input of the first layer and output of every layer.
    """

    last_hidden_state: Tensor
    expansion: Expansion
    hidden_states: list[Tensor]

    @property
    def layers(self) -> list[Tensor]:
        """The features of all layers, each (B, L, D): the embedding of the tokens first, the normed last ones last."""
        return [*self.hidden_states[:-1], self.last_hidden_state]


@dataclass(frozen=True)
class StateGraph:
    """The states of the R molecules with masks and what they have to emit: the arguments of `alignment`.

    Attributes
    ----------
    match : Tensor, shape (R, M, S)
        Log-probability that a state emits a target; -inf for the last target of a row that ends in no state, which
        so has no path.
    transitions : Tensor, shape (R, S, S)
        Log-probability of going from a state to a later one.
    target_length, state_length : Tensor of int64, shape (R,)
        Targets and states of every row.
    targets : Tensor of int64, shape (R, M)
        What is to be emitted, `<s>` and `</s>` included.
    masked : Tensor of bool, shape (R, M)
        Which targets are hidden by masks, and not `<s>` or `</s>`.
    """

    match: Tensor
    transitions: Tensor
    target_length: Tensor
    state_length: Tensor
    targets: Tensor
    masked: Tensor


@dataclass(frozen=True)
class MaskedLMOutput:
    """What the masked language model says of a batch.

    Attributes
    ----------
    loss : Tensor, scalar
        Negative log-likelihood. For "exlm" divided by each row's targets and averaged over the rows with masks: one
        without a path counts as 0, as in the published code; one without masks does not count, which there it does.
        For "mlm" averaged over masked tokens.
    num_targets : Tensor of int64, scalar
        Masked tokens in the batch (`<s>` and `</s>` not counted).
    log_likelihood : Tensor, shape (R,)
        Of the molecules with masks. "exlm": log-probability of the targets over all paths, -inf where impossible.
        "mlm": sum over the row's masks.
    logits : Tensor
        Scores of every token: (R, S, V) for the states, or (masked tokens, V) for "mlm".
    graph : StateGraph or None
        The alignment's graph; None for "mlm".
    molecule_losses : dict of str to Tensor
        Loss of every molecule-level objective that targets were given for; not part of `loss`.
    encoder : ExLMOutput
        The encoder's output.
    """

    loss: Tensor
    num_targets: Tensor
    log_likelihood: Tensor
    logits: Tensor
    graph: StateGraph | None
    encoder: ExLMOutput
    molecule_losses: dict[str, Tensor] = field(default_factory=dict)
