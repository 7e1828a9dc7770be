"""The encoder with a layer for labels as `transformers` wants it: what ``Trainer`` and DeepChem fine-tune."""

from __future__ import annotations

from torch import Tensor, nn
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils.generic import can_return_tuple

from exlm_chem.hf.configuration import ExLMConfig
from exlm_chem.hf.models import ExLMModel, ExLMPreTrainedModel


class ExLMForSequenceClassification(ExLMPreTrainedModel):
    """Labels of whole molecules: a linear layer on the vector of `ExLM.embed`.

    ``num_labels`` and ``problem_type`` of the configuration say what is learnt, as everywhere in transformers: numbers
    ("regression"), one of several classes, or several yes-or-no answers ("multi_label_classification").

    Parameters
    ----------
    config : ExLMConfig
        Of the directory.

    Examples
    --------
    >>> import torch
    >>> config = ExLMConfig(hidden_size=32, num_hidden_layers=1, num_labels=3)
    >>> output = ExLMForSequenceClassification(config)(torch.tensor([[0, 7, 7, 2]]), labels=torch.tensor([2]))
    >>> output.logits.shape, bool(output.loss > 0)
    (torch.Size([1, 3]), True)
    """

    _keys_to_ignore_on_load_unexpected = ExLMModel._keys_to_ignore_on_load_unexpected  # noqa: SLF001  (of its sister)

    model: ExLMModel

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__(config)
        sizes, self.num_labels = config.sizes, config.num_labels or 1
        self.model = ExLMModel(config)
        self.dropout = nn.Dropout(sizes.hidden_dropout)
        self.classifier = nn.Linear(sizes.hidden_size, self.num_labels)
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        """Give the embedding of the tokens."""
        return self.model.get_input_embeddings()

    @can_return_tuple  # type: ignore[untyped-decorator]
    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
    ) -> SequenceClassifierOutput:
        """Score a batch.

        Parameters
        ----------
        input_ids, attention_mask, output_hidden_states
            See `ExLMModel.forward`.
        labels : Tensor, optional
            Shape (B,) or (B, 1) of classes; shape (B, num_labels), or (B,) of a single one, of numbers.

        Returns
        -------
        SequenceClassifierOutput
            ``logits`` of shape (B, num_labels): numbers, or what a softmax or sigmoid makes probabilities of.
        """
        output = self.model(input_ids, attention_mask, output_hidden_states)
        logits = self.classifier(self.dropout(output.pooler_output))
        loss = None if labels is None else self.loss_function(labels, logits, self.config)
        return SequenceClassifierOutput(loss=loss, logits=logits, hidden_states=output.hidden_states)
