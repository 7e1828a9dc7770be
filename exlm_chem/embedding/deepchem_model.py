"""`ExLMModel`: the encoder fine-tuned inside DeepChem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.embedding.quiet_deepchem import deepchem
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.modeling import ExLMModel as Encoder
from exlm_chem.smiles.containers import molecules_in
from exlm_chem.terms import Kind, Pooling

DEFAULTS: Final = {"batch_size": 32, "learning_rate": 1e-4}
"""What suits fine-tuning, of the arguments of DeepChem's TorchModel."""
POOL: Final = 20
"""How many batches of training molecules are drawn together, so that each gets molecules of like length."""
ROUNDING: Final = 1e-12
"""A variance that is there so that rounding never makes one negative."""


class ExLMModel(deepchem.models.TorchModel):  # type: ignore[misc]
    """Fine-tune an ExLM encoder with a head on molecular properties inside DeepChem.

    The dataset's ``X`` holds the molecules: SMILES or RDKit molecules, as ``ExLMFeaturizer(output="smiles")``,
    ``dc.feat.DummyFeaturizer()`` or ``dc.feat.RawFeaturizer()`` leave them. A molecule that cannot be read is not
    learnt from, and its prediction is NaN; ``ExLMFeaturizer`` drops it when the data are loaded. A label with weight 0
    or NaN counts as missing.

    Encoder and head are trained together, from the pretrained weights, by a linear layer on the pooled states.
    Regression labels are best standardised by ``dc.trans.NormalizationTransformer``.

    Parameters
    ----------
    n_tasks : int
        Number of label columns.
    mode : {"classification", "regression"}
        What they are.
    n_classes : int
        Of each task of a classification.
    model : str or Path
        Name of a model that ships, or a model directory.
    pooling : {"mean", "mean+middle", "mean+max", "first", "states"}
        See `ExLM.embed`.
    dropout : float
        In all layers of the encoder and before the head, while it is trained.
    uncertainty : bool
        Make `predict_uncertainty` possible: by dropout, and for a regression also by a variance that the head
        predicts, as `MultitaskRegressor` does. It needs dropout.
    **kwargs
        Arguments of `TorchModel`. If they are not given, ``batch_size`` is 32 and ``learning_rate`` 1e-4.

    Notes
    -----
    Predictions have shape (molecules, tasks, classes) for a classification (probabilities) and (molecules, tasks, 1)
    for a regression, as those of DeepChem's `MultitaskClassifier` and `MultitaskRegressor`.

    Examples
    --------
    >>> import deepchem as dc
    >>> dataset = dc.data.NumpyDataset(np.array(["CCO", "CCCO", "CCN"]), np.array([[1.0], [1.0], [0.0]]))
    >>> model = ExLMModel(n_tasks=1, mode="classification", device=torch.device("cpu"))
    >>> loss = model.fit(dataset, nb_epoch=10)  # doctest: +SKIP
    >>> model.predict(dataset).shape
    (3, 1, 2)
    """

    def __init__(
        self,
        n_tasks: int,
        mode: Kind = "regression",
        n_classes: int = 2,
        model: str | Path = "exlm-small",
        pooling: Pooling = "mean",
        dropout: float = 0.1,
        uncertainty: bool = False,
        **kwargs: Any,
    ) -> None:
        if mode not in get_args(Kind):
            raise ExLMError(f"mode must be 'classification' or 'regression', not {quoted(mode)}")
        if uncertainty and not dropout:
            raise ExLMError("uncertainty needs dropout: give one above 0, such as dropout=0.1")
        self.n_tasks, self.mode, self.n_classes = n_tasks, mode, n_classes
        self.encoder = ExLM.from_pretrained(model, device="cpu", backend="torch")
        classes = n_classes if mode == "classification" else 0
        network = _Network(self.encoder.model, n_tasks, classes, pooling, dropout, uncertainty)
        losses = deepchem.models.losses
        loss = losses.SparseSoftmaxCrossEntropy() if classes else _variance_loss if uncertainty else losses.L2Loss()
        super().__init__(network, loss, output_types=network.output_types, **{**DEFAULTS, **kwargs})

    def default_generator(
        self,
        dataset: Any,
        epochs: int = 1,
        mode: str = "fit",
        deterministic: bool = True,
        pad_batches: bool = False,
    ) -> Iterator[tuple[list[Any], list[Any], list[Any]]]:
        """Give batches of token ids, labels and weights.

        Parameters
        ----------
        dataset : Dataset
            Molecules in ``X``.
        epochs : int
            How often to go through it.
        mode : {"fit", "predict", "uncertainty"}
            "fit" leaves out molecules that cannot be read; "uncertainty" switches dropout on.
        deterministic : bool
            In the order of the dataset, or in a random one.
        pad_batches : bool
            Part of DeepChem's signature.
        """
        pool = POOL if mode == "fit" and not deterministic else 1
        for _ in range(epochs):
            for molecules, labels, weights, _ids in dataset.iterbatches(
                pool * self.batch_size, deterministic=deterministic, pad_batches=pad_batches
            ):
                ids = [one.token_ids for one in self.encoder.read_all(molecules_in(molecules))]
                if mode == "fit":
                    yield from self._training_batches(ids, labels, weights)
                else:
                    yield [self._padded(ids), np.array(mode == "uncertainty")], [labels], [weights]

    def _training_batches(
        self, ids: list[tuple[int, ...]], labels: NDArray[Any], weights: NDArray[Any]
    ) -> Iterator[tuple[list[Any], list[Any], list[Any]]]:
        """Put molecules of like length into a batch, to save padding; without those that could not be read."""
        rows = sorted((row for row, one in enumerate(ids) if one), key=lambda row: len(ids[row]))
        batches = [rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size)]
        for index in np.random.permutation(len(batches)):  # noqa: NPY002  (DeepChem shuffles by it too)
            batch = batches[index]
            y, w = self._known(labels[batch], weights[batch])
            yield [self._padded([ids[row] for row in batch]), np.array(False)], [y], [w]

    def _known(self, y: NDArray[Any], w: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Let labels that are NaN count as missing, as those with weight 0 do; others must be what is learnt."""
        y = np.asarray(y, dtype=float).reshape(len(y), -1)
        if y.shape[1] != self.n_tasks:
            raise ExLMError(f"the dataset has labels of {y.shape[1]} tasks, and the model has n_tasks={self.n_tasks}")
        w = np.broadcast_to(np.asarray(w, dtype=float).reshape(len(y), -1), y.shape)
        missing = np.isnan(y) | (w == 0)
        y, w = np.where(missing, 0.0, y), np.where(missing, 0.0, w)
        if self.mode == "classification" and not np.isin(y, np.arange(self.n_classes)).all():
            wrong = y[~np.isin(y, np.arange(self.n_classes))][0]
            raise ExLMError(f"labels of {self.n_classes} classes are 0 to {self.n_classes - 1}, and one is {wrong:g}")
        return y, w

    def save_pretrained(self, directory: str | Path) -> None:
        """Write the encoder as it is now as a model directory, for `ExLMFeaturizer` and all else that takes one.

        Parameters
        ----------
        directory : str or Path
            Made if it does not exist. Checkpoints with the head are what `save_checkpoint` and `restore` are for.
        """
        self.encoder.model.load_state_dict(self.model.encoder.state_dict())
        self.encoder.save_pretrained(directory)

    def _padded(self, ids: list[tuple[int, ...]]) -> NDArray[np.int64]:
        tokenizer = self.encoder.tokenizer
        return tokenizer.pad([one or (tokenizer.bos_id, tokenizer.eos_id) for one in ids])

    def _predict(self, generator: Any, transformers: Any, uncertainty: bool, other_output_types: Any) -> Any:
        """Predict without gradients; uncertainties in double precision, as they are small differences.

        Transformers are undone on all rows, and one more: of a single row, which the last batch may be,
        `NormalizationTransformer` takes the molecule for the task.
        """
        with torch.no_grad():
            results = super()._predict(generator, [], uncertainty, other_output_types)
        if uncertainty:
            return [(p.astype(float), v.astype(float)) for p, v in results]
        if not transformers or not len(results):
            return results
        if isinstance(results, list):
            raise ExLMError("transformers are undone on predictions only; ask for other outputs without them")
        return deepchem.trans.undo_transforms(np.concatenate([results, results[:1]]), transformers)[:-1]


class _Network(nn.Module):
    """Encoder and head with the inputs and outputs that DeepChem passes around.

    Parameters
    ----------
    pretrained : Encoder
        Its weights are taken, not copied.
    n_tasks, n_classes : int
        0 classes mean a regression.
    pooling, dropout, uncertainty
        See `ExLMModel`.
    """

    def __init__(
        self, pretrained: Encoder, n_tasks: int, n_classes: int, pooling: Pooling, dropout: float, uncertainty: bool
    ) -> None:
        super().__init__()
        self.n_tasks, self.n_classes, self.uncertainty = n_tasks, n_classes, uncertainty
        self.pooling: Pooling = pooling
        config = replace(pretrained.config, hidden_dropout=dropout, attention_dropout=dropout)
        self.encoder = Encoder(config)
        self.encoder.load_state_dict(pretrained.state_dict())
        self.dropout = nn.Dropout(dropout)
        values = n_classes or (2 if uncertainty else 1)
        self.head = nn.Linear(config.vector_width(pooling), n_tasks * values)
        self.output_types = ["prediction", "variance"] if uncertainty else ["prediction"]
        if n_classes:
            self.output_types.append("loss")
        elif uncertainty:
            self.output_types += ["loss", "loss"]
        self.output_types.append("embedding")

    def forward(self, inputs: list[Tensor]) -> list[Tensor]:
        """Map (B, T) token ids, and whether to sample with dropout, to one output for each of the types."""
        input_ids, sampled = inputs
        self.encoder.train(self.training or bool(sampled))
        self.dropout.train(self.training or bool(sampled))
        embedding = self.encoder.embed(input_ids, self.pooling)
        values = self.head(self.dropout(embedding)).unflatten(1, (self.n_tasks, -1))
        # a molecule that could not be read is <s> and </s> alone
        no_molecule = (input_ids != self.encoder.config.pad_token_id).sum(1) <= 2
        values = values.masked_fill(no_molecule[:, None, None], torch.nan)
        return [*self._outputs(values), embedding]

    def _outputs(self, values: Tensor) -> list[Tensor]:
        if self.n_classes:
            probabilities = values.softmax(2)
            variance = [torch.full_like(probabilities, ROUNDING)] if self.uncertainty else []
            return [probabilities, *variance, values]
        if not self.uncertainty:
            return [values]
        mean, log_variance = values.split(1, 2)
        return [mean, log_variance.exp(), mean, log_variance]


def _variance_loss(outputs: list[Tensor], labels: list[Tensor], weights: list[Tensor]) -> Tensor:
    """Likelihood of normal errors whose variance is predicted too (Kendall and Gal, NeurIPS 2017)."""
    mean, log_variance = (one.squeeze(2) for one in outputs)
    losses = (labels[0] - mean).square() / log_variance.exp() + log_variance
    return (losses * weights[0]).mean()
