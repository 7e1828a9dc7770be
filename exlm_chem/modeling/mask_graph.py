"""The graph of the states of a masked sequence, before it is said what they emit: for filling masks and for pictures.

Tokens make the graph, and the alignment scores what is put into its masks. The objective "mlm" has a graph too: one
state for each mask and one path through them, so that its likelihood is the product of the masks' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from exlm_chem.modeling.alignment import log_likelihood
from exlm_chem.modeling.exlm import ExLMForMaskedLM
from exlm_chem.modeling.inputs import NOT_A_TARGET, prepare_inputs
from exlm_chem.modeling.outputs import MaskedLMOutput

MOST_NUMBERS: Final = 10_000_000
"""Numbers in memory at a time."""


@dataclass(frozen=True)
class MaskGraph:
    """The S states of one sequence with masks, on the CPU.

    Attributes
    ----------
    emissions : Tensor, shape (S, V)
        Log-probability that a state emits a token.
    transitions : Tensor, shape (S, S)
        Log-probability of going from a state to a later one; -inf where that is impossible.
    token_index : Tensor of int64, shape (S,)
        The token of the sequence that a state belongs to.
    ends : tuple of int
        What the first and the last state of a path emit, ``<s>`` and ``</s>``; empty for "mlm".
    num_masks : int
        M, the masks of the sequence.
    """

    emissions: Tensor
    transitions: Tensor
    token_index: Tensor
    ends: tuple[int, ...]
    num_masks: int

    @property
    def rows_at_a_time(self) -> int:
        """For how many fillings there is room at a time."""
        return max(1, MOST_NUMBERS // self.transitions.numel())

    def with_ends(self, fillings: Tensor) -> Tensor:
        """Put what the ends emit around (n, M) tokens: the targets of the alignment."""
        if not self.ends:
            return fillings
        first, last = (torch.full_like(fillings[:, :1], token) for token in self.ends)
        return torch.cat([first, fillings, last], dim=1)

    def layers(self, tokens: Tensor) -> list[Tensor]:
        """Give for every step of a path what may be emitted there, if `tokens` may stand in the masks."""
        first, last = (tokens.new_tensor([[token]]) for token in self.ends) if self.ends else ((), ())
        return [*first, *[tokens] * self.num_masks, *last]

    def log_likelihoods(self, fillings: Tensor) -> Tensor:
        """Log-probability of each of (n, M) fillings, summed over all paths: what the alignment says, shape (n,)."""
        targets = self.with_ends(fillings)
        parts = [
            log_likelihood(self.emissions.T[some], *self._repeated(len(some), some.shape[1]))
            for some in targets.split(self.rows_at_a_time)
        ]
        return torch.cat(parts)

    def path_posteriors(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Tell how often paths visit a state, and go from one to another, when any of `tokens` may stand in the masks.

        Returns
        -------
        visits : Tensor, shape (S,)
            Probability that a path goes through a state.
        uses : Tensor, shape (S, S)
            Probability that it goes from a state to another.
        """
        with torch.inference_mode(False), torch.enable_grad():
            mass, transitions, *lengths = (one.clone() for one in self.masses(tokens, 1))
            mass.requires_grad_()
            transitions.requires_grad_()
            total = log_likelihood(mass, transitions, *lengths)
            emitted, uses = torch.autograd.grad(total.sum(), [mass, transitions])
        return emitted[0].sum(0), uses[0]

    def masses(self, tokens: Tensor, rows: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Give the arguments of the alignment in which a state emits any of `tokens`, for a number of equal rows."""
        mass = torch.stack([self.emissions[:, some].logsumexp(1) for some in self.layers(tokens)])
        return mass.expand(rows, -1, -1), *self._repeated(rows, len(mass))

    def _repeated(self, rows: int, targets: int) -> tuple[Tensor, Tensor, Tensor]:
        lengths = (torch.full((rows,), length) for length in (targets, len(self.transitions)))
        return self.transitions.expand(rows, -1, -1), *lengths  # type: ignore[return-value]


def mask_graphs(model: ExLMForMaskedLM, input_ids: Tensor) -> list[MaskGraph]:
    """Make the graph of every sequence of a batch.

    Parameters
    ----------
    model : ExLMForMaskedLM
        Of the objective "exlm" or "mlm".
    input_ids : Tensor of int64, shape (B, T)
        Tokens with at least one mask in each row, padded on the right.

    Returns
    -------
    list of MaskGraph

    Examples
    --------
    >>> from exlm_chem.modeling.configuration import ExLMConfig
    >>> config = ExLMConfig(vocab_size=20, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, num_states=2)
    >>> [graph] = mask_graphs(ExLMForMaskedLM(config).eval(), torch.tensor([[0, 7, 4, 2]]))
    >>> graph.emissions.shape, graph.token_index.tolist()
    (torch.Size([6, 20]), [0, 0, 2, 2, 3, 3])
    """
    config = model.config
    masked = input_ids == config.mask_token_id
    with torch.inference_mode():
        inputs = prepare_inputs(config, input_ids, torch.where(masked, config.mask_token_id, NOT_A_TARGET))
        output: MaskedLMOutput = model(inputs)
        emissions = output.logits.float().log_softmax(-1).cpu()
    counts = masked.sum(1).tolist()
    if output.graph is None:
        places = (row.nonzero()[:, 0] for row in masked.cpu())
        return [
            MaskGraph(part, _chain(count), place, (), count)
            for part, count, place in zip(emissions.split(counts), counts, places, strict=True)
        ]
    ends = config.bos_token_id, config.eos_token_id
    tokens = inputs.expansion.token_index.gather(1, inputs.state_positions).cpu()
    transitions = output.graph.transitions.float().cpu()
    lengths = inputs.state_length.tolist()
    return [
        MaskGraph(emissions[row, :size], transitions[row, :size, :size], tokens[row, :size], ends, counts[row])
        for row, size in enumerate(lengths)
    ]


def _chain(count: int) -> Tensor:
    """Give the transitions of states that follow each other for sure."""
    return torch.full((count, count), -torch.inf).masked_fill(torch.ones(count, count).triu(1).tril(1) > 0, 0.0)
