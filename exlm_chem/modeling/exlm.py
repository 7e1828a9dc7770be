"""ExLM: the encoder over expanded tokens, and its masked language model."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.modeling.encoder import ExLMEncoder
from exlm_chem.modeling.expansion import Expansion
from exlm_chem.modeling.inputs import MaskedInputs, OtherTexts, expand_inputs
from exlm_chem.modeling.masked_scores import MaskedScores
from exlm_chem.modeling.outputs import ExLMOutput, MaskedLMOutput
from exlm_chem.modeling.pooling import pooled
from exlm_chem.modeling.property_loss import kind_of_objective, property_loss
from exlm_chem.modeling.serialization import SavedModel, init_weights
from exlm_chem.terms import Pooling

CONSISTENCY = "consistency"
"""Name of the loss between the embeddings of two SMILES of one molecule."""


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

    def embed(self, input_ids: Tensor, pooling: Pooling = "mean", layer: int = -1) -> Tensor:
        """One vector per row.

        Parameters
        ----------
        input_ids : Tensor of int64, shape (B, T)
            Tokens, padded on the right.
        pooling : {"mean", "mean+middle", "mean+max", "first", "states"}
            See `exlm_chem.terms.Pooling`; "first" is the published classifier's.
        layer : int
            Which of `ExLMOutput.layers`.

        Returns
        -------
        Tensor, shape (B, `ExLMConfig.vector_width`)
        """
        return self.pool(self(input_ids), pooling, layer)

    def pool(self, output: ExLMOutput, pooling: Pooling = "mean", layer: int = -1) -> Tensor:
        """Pool an encoder output; see `embed`."""
        return pooled(self.config, output, pooling, layer)


class ExLMForMaskedLM(SavedModel, MaskedScores):
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

    model: ExLMModel

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__(config)
        self.model = ExLMModel(config)
        self.make_heads(config)
        init_weights(self, config.initializer_range)

    def forward(
        self,
        inputs: MaskedInputs,
        molecule_targets: dict[str, Tensor] | None = None,
        guided: bool = False,
        others: OtherTexts | None = None,
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
        others : OtherTexts, optional
            Whose embeddings shall be those of the same molecules in `inputs`: "consistency" among the losses is
            1 - cosine of the two.
        """
        encoder = self.model.encode(inputs.expansion)
        output = self.score_masks(encoder, inputs, guided)
        if not molecule_targets and others is None:
            return output
        embedding, targets = self.model.pool(encoder), molecule_targets or {}
        losses = {name: self._molecule_loss(name, embedding, values) for name, values in targets.items()}
        if others is not None:
            again = self.model.embed(others.input_ids)
            losses[CONSISTENCY] = 1 - F.cosine_similarity(embedding[others.rows].float(), again.float()).mean()
        return replace(output, molecule_losses=losses)

    def _molecule_loss(self, name: str, embedding: Tensor, targets: Tensor) -> Tensor:
        """Squared error of standardised numbers, or cross-entropy of bits; the mean over what is known."""
        predicted = self.molecule_heads[name](embedding)
        exact = predicted.to(torch.promote_types(predicted.dtype, torch.float32))
        return property_loss(exact, targets, kind_of_objective(name))
