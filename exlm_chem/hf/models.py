"""The encoder and its masked language model as `transformers` wants them: padded tokens in, features of tokens out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, initialization
from transformers.modeling_outputs import BaseModelOutputWithPooling, MaskedLMOutput
from transformers.utils.generic import can_return_tuple

from exlm_chem.errors import ExLMError
from exlm_chem.hf.configuration import LABELS, ExLMConfig
from exlm_chem.modeling.config_file import WEIGHTS_NAME, write_config
from exlm_chem.modeling.encoder import ExLMEncoder
from exlm_chem.modeling.expansion import Expansion
from exlm_chem.modeling.inputs import NOT_A_TARGET, expand_inputs, prepare_inputs
from exlm_chem.modeling.marginals import marginals
from exlm_chem.modeling.masked_scores import LMHead, MaskedScores
from exlm_chem.modeling.outputs import ExLMOutput
from exlm_chem.modeling.pooling import pooled, token_features
from exlm_chem.sentence_files import write_sentence_files

REPOSITORY: Final = ("repo_id", "commit_message", "create_pr", "private", "token", "revision")
"""What `save_pretrained` is told about the place on the Hub."""


class ExLMPreTrainedModel(PreTrainedModel):
    """What both models have: how they begin, how they are written, and what they take for padding."""

    config: ExLMConfig
    config_class = ExLMConfig
    base_model_prefix = "model"
    _no_split_modules = ["ExLMEncoderLayer"]  # noqa: RUF012  (as in all models of transformers)

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, LMHead):
            initialization.zeros_(module.bias)

    def save_pretrained(  # the rest is in kwargs
        self, save_directory: str | Path, is_main_process: bool = True, **kwargs: Any
    ) -> None:
        """Write a model directory that `ExLM` reads too; see `PreTrainedModel.save_pretrained`.

        Parameters
        ----------
        save_directory : str or Path
            Made if it does not exist.
        is_main_process : bool
            Of several processes one writes.
        **kwargs
            See `PreTrainedModel.save_pretrained`.
        """
        # uploaded is what is written here, which is more than what transformers writes
        pushed = kwargs.pop("push_to_hub", False)
        about_repository = {name: kwargs.pop(name) for name in REPOSITORY if name in kwargs}
        super().save_pretrained(save_directory, is_main_process=is_main_process, **kwargs)
        if is_main_process:
            if not (Path(save_directory) / WEIGHTS_NAME).exists():
                raise ExLMError(f"a model directory has its weights in {WEIGHTS_NAME}: no max_shard_size, no variant")
            write_sentence_files(save_directory)
            about = self.config.to_diff_dict()
            labels = {name: about[name] for name in LABELS if about.get(name) is not None}
            write_config(save_directory, self.config.sizes, type(self).__name__, {}, labels)
            if pushed:
                self.push_to_hub(**{"repo_id": Path(save_directory).name, **about_repository})

    def padded(self, input_ids: Tensor, attention_mask: Tensor | None) -> Tensor:
        """Put ``<pad>`` where the mask says so, and nowhere else; the rows must be padded on the right.

        Parameters
        ----------
        input_ids : Tensor of int64, shape (B, T)
            Tokens.
        attention_mask : Tensor of shape (B, T), optional
            0 where there is padding.
        """
        config = self.config
        real = input_ids != config.pad_token_id if attention_mask is None else attention_mask.bool()
        if bool((real[:, 1:] & ~real[:, :-1]).any()):
            raise ExLMError("a row is padded on the left or inside; set tokenizer.padding_side to 'right'")
        # a token drawn at random, as some collators do, may be <pad>
        tokens = input_ids.masked_fill(input_ids == config.pad_token_id, config.unk_token_id)
        return torch.where(real, tokens, config.pad_token_id)


class ExLMModel(ExLMPreTrainedModel):
    """The encoder: `exlm_chem.modeling.exlm.ExLMModel` with one row of features for each token.

    Parameters
    ----------
    config : ExLMConfig
        Of the directory.

    Examples
    --------
    >>> output = ExLMModel(ExLMConfig(hidden_size=32, num_hidden_layers=1))(torch.tensor([[0, 7, 7, 2]]))
    >>> output.last_hidden_state.shape, output.pooler_output.shape
    (torch.Size([1, 4, 32]), torch.Size([1, 32]))
    """

    _keys_to_ignore_on_load_unexpected = [r"^lm_head\.", r"^transitions\.", r"^molecule_heads\.", r"^classifier\."]  # noqa: RUF012

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__(config)
        self.encoder = ExLMEncoder(config.sizes)
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        """Give the embedding of the tokens."""
        return self.encoder.tok_embeddings

    def encode(self, expansion: Expansion) -> ExLMOutput:
        """Encode sequences that are expanded already; see `exlm_chem.modeling.exlm.ExLMModel.encode`."""
        longest, most = expansion.input_ids.shape[1], self.config.max_positions
        if longest > most:
            raise ExLMError(f"too long for this model: {longest:,} tokens and states, and it reads {most:,}")
        *hidden_states, features = self.encoder(expansion)
        return ExLMOutput(features, expansion, hidden_states)

    @can_return_tuple  # type: ignore[untyped-decorator]
    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPooling:
        """Encode a batch.

        Parameters
        ----------
        input_ids : Tensor of int64, shape (B, T)
            Tokens of RDKit's canonical SMILES, padded on the right; ``<s>``, ``</s>`` and ``<mask>`` are expanded.
        attention_mask : Tensor of shape (B, T), optional
            0 where there is padding.
        output_hidden_states : bool, optional
            Whether to give the features of all layers.

        Returns
        -------
        BaseModelOutputWithPooling
            ``pooler_output`` is the vector that `ExLM.embed` gives (pooling "mean"); ``last_hidden_state`` has the
            features of each token, those of its states averaged, and zero at padding.
        """
        sizes, tokens = self.config.sizes, self.padded(input_ids, attention_mask)
        output = self.encode(expand_inputs(sizes, tokens, tokens == sizes.mask_token_id))
        return BaseModelOutputWithPooling(
            last_hidden_state=self.of_tokens(output, tokens),
            pooler_output=pooled(sizes, output),
            hidden_states=self.layers(output, tokens, output_hidden_states),
        )

    def of_tokens(self, output: ExLMOutput, tokens: Tensor, layer: int = -1) -> Tensor:
        """Give the features of each of (B, T) tokens, shape (B, T, D)."""
        return token_features(self.config.sizes, output, tokens.shape[1], layer)

    def layers(self, output: ExLMOutput, tokens: Tensor, wanted: bool | None) -> tuple[Tensor, ...] | None:
        """Give the features of each token in each layer, the last ones normed, if that is wanted."""
        if not (self.config.output_hidden_states if wanted is None else wanted):
            return None
        return tuple(self.of_tokens(output, tokens, layer) for layer in range(len(output.hidden_states)))


class ExLMForMaskedLM(ExLMPreTrainedModel, MaskedScores):
    """The masked language model: `exlm_chem.modeling.exlm.ExLMForMaskedLM` with scores at each token.

    Parameters
    ----------
    config : ExLMConfig
        Of the directory.

    Examples
    --------
    >>> model = ExLMForMaskedLM(ExLMConfig(hidden_size=32, num_hidden_layers=1)).eval()
    >>> logits = model(torch.tensor([[0, 7, 429, 2]])).logits
    >>> logits.shape, bool((logits[0, 2].exp().sum() - 1).abs() < 1e-5)
    (torch.Size([1, 4, 430]), True)
    """

    model: ExLMModel

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__(config)
        self.model = ExLMModel(config)
        self.make_heads(config.sizes)
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        """Give the embedding of the tokens, which scores them too."""
        return self.model.get_input_embeddings()

    @can_return_tuple  # type: ignore[untyped-decorator]
    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
    ) -> MaskedLMOutput:
        """Score what stands in masks.

        Parameters
        ----------
        input_ids : Tensor of int64, shape (B, T)
            Tokens with ``<mask>``, padded on the right.
        attention_mask : Tensor of shape (B, T), optional
            0 where there is padding.
        labels : Tensor of int64, shape (B, T), optional
            The token that is hidden, -100 where none is; these places are expanded. By default all of ``<mask>`` are.
        output_hidden_states : bool, optional
            Whether to give the features of all layers.

        Returns
        -------
        MaskedLMOutput
            ``loss`` as in pretraining: of all masks of a molecule together, over all paths through their states.
            ``logits`` has at each mask the log-probability of every token, whatever the other masks are, and elsewhere
            the scores of the token's own features; None in training mode with labels, which needs the loss only.
        """
        sizes, tokens = self.config.sizes, self.padded(input_ids, attention_mask)
        hidden = torch.where(tokens == sizes.mask_token_id, sizes.mask_token_id, NOT_A_TARGET)
        inputs = prepare_inputs(sizes, tokens, hidden if labels is None else labels)
        encoded = self.model.encode(inputs.expansion)
        scores = self.score_masks(encoded, inputs)
        logits = None
        if labels is None or not self.training:
            logits = self.score(self.model.of_tokens(encoded, tokens)).float()
            logits[(hidden if labels is None else labels) != NOT_A_TARGET] = marginals(scores).float()
        return MaskedLMOutput(
            loss=None if labels is None else scores.loss,
            logits=logits,
            hidden_states=self.model.layers(encoded, tokens, output_hidden_states),
        )
