"""`ExLM`: molecules in, one vector each out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, get_args

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.backends.backend import Backend
from exlm_chem.embedding.backends.registry import open_backend
from exlm_chem.embedding.model_input import ModelInput, read_input
from exlm_chem.embedding.options import EmbeddingOptions
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.model_directory import open_model, write_model
from exlm_chem.smiles.containers import molecules_in
from exlm_chem.terms import BackendName, EmbeddingPrecision, OnInvalidMolecule, Pooling, Standardise
from exlm_chem.tokenizer import ExLMTokenizer
from exlm_chem.training.bucketing import length_batches

if TYPE_CHECKING:  # torch, which another backend can spare
    from exlm_chem.embedding.axes import PrincipalAxes
    from exlm_chem.modeling import ExLMModel

BATCH_SIZE = EmbeddingOptions.batch_size


class ExLM:
    """An encoder with its tokenizer: turns molecules into vectors.

    The vector of a molecule depends on neither the way its SMILES is written nor the other molecules of the call.

    Parameters
    ----------
    encoder : ExLMModel or Backend
        The encoder. A model is put on the device and into evaluation mode.
    tokenizer : ExLMTokenizer
        The tokenizer that the encoder was trained with.
    device : str
        For a model: a torch device, or "auto" for the first of CUDA, MPS and CPU that there is.

    Attributes
    ----------
    backend : Backend
        What the encoder runs on.
    device : torch.device or str
        Where it runs.
    directory : Path or None
        Where it was read from.

    Examples
    --------
    >>> from exlm_chem.modeling import ExLMConfig, ExLMModel
    >>> tokenizer = ExLMTokenizer()
    >>> config = ExLMConfig.preset("tiny", tokenizer.vocab_size, mask_token_id=tokenizer.mask_id)
    >>> embedder = ExLM(ExLMModel(config), tokenizer, device="cpu")
    >>> vectors = embedder.embed(["OCC", "CCO", "no molecule"])
    >>> vectors.shape, bool((vectors[0] == vectors[1]).all()), bool(np.isnan(vectors[2]).all())
    ((3, 96), True, True)
    """

    def __init__(self, encoder: ExLMModel | Backend, tokenizer: ExLMTokenizer, device: str = "auto") -> None:
        if encoder.config.vocab_size != tokenizer.vocab_size:
            raise ExLMError(
                f"the model knows {encoder.config.vocab_size} tokens and the tokenizer {tokenizer.vocab_size}: "
                "they do not belong together"
            )
        if not isinstance(encoder, Backend):
            from exlm_chem.embedding.backends.torch_backend import TorchBackend

            encoder = TorchBackend(encoder, device)
        self.backend, self.device = encoder, encoder.device
        self.tokenizer = tokenizer
        self.directory: Path | None = None

    def __repr__(self) -> str:
        about = f"width={self.width}, layers={self.backend.config.num_hidden_layers}, scheme={self.tokenizer.scheme!r}"
        return f"ExLM({about}, device={str(self.device)!r})"

    @classmethod
    def from_pretrained(
        cls,
        name_or_directory: str | Path = "exlm-small",
        device: str = "auto",
        backend: BackendName = "auto",
        precision: EmbeddingPrecision = "fp32",
    ) -> Self:
        """Read a model that ships with the package, or a directory; of a predictor, its encoder.

        Parameters
        ----------
        name_or_directory : str or Path
            See `exlm_chem.locations.locate`.
        device : str
            See the class.
        backend : {"torch", "onnx", "auto"}
            What it runs on. With "onnx" torch is only loaded for what looks inside; see `best_backend` for "auto".
        precision : {"fp32", "bf16", "int8", "auto"}
            See `TorchBackend` and `OnnxBackend`.
        """
        found = open_model(name_or_directory)
        embedder = cls(open_backend(found, backend, device, precision), found.smiles_tokenizer)
        embedder.fingerprint, embedder.directory = found.fingerprint, found.path
        return embedder

    @property
    def model(self) -> ExLMModel:
        """The module of torch, for what looks inside: training, explanations."""
        return self.backend.model

    def save_pretrained(self, directory: str | Path) -> None:
        """Write encoder and tokenizer as a model directory."""
        write_model(directory, self.model, self.tokenizer)

    @property
    def width(self) -> int:
        """Length of a vector, as the mean over the tokens; of another pooling see `vector_width`."""
        return self.backend.config.hidden_size

    def vector_width(self, pooling: Pooling = "mean") -> int:
        """Length of a vector; see `ExLMConfig.vector_width`."""
        return self.backend.config.vector_width(pooling)

    @property
    def max_tokens(self) -> int:
        """Tokens of the longest molecule, ``<s>`` and ``</s>`` included."""
        return self.backend.config.max_tokens

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 of ``model.safetensors``: of the file that was read, or of the one that would be written."""
        from exlm_chem.modeling.serialization import weights_sha256

        return weights_sha256(self.model)

    @cached_property
    def axes(self) -> PrincipalAxes:
        """The principal axes of its vectors; see `read_axes`."""
        from exlm_chem.embedding.axes import read_axes

        return read_axes(self)

    def read(self, molecule: Any, standardise: Standardise = "none") -> ModelInput:
        """Read one molecule for the model; a bad one gives a reason and never an exception.

        Parameters
        ----------
        molecule : str, bytes or RDKit Mol
            None and the NaN of an empty cell count as no SMILES; anything else is told by its type.
        standardise : {"none", "fragment", "parent"}
            See `read_molecule`.

        Returns
        -------
        ModelInput
            With token ids, or with ``molecule.error``.
        """
        return read_input(molecule, self.tokenizer, self.max_tokens, standardise)

    def read_all(self, molecules: Sequence[Any], standardise: Standardise = "none") -> list[ModelInput]:
        """Read molecules for the model, one that occurs several times once; see `read`.

        Parameters
        ----------
        molecules : sequence of str, bytes, RDKit Mol or None
            What `read` takes.
        standardise : {"none", "fragment", "parent"}
            See `read_molecule`.

        Returns
        -------
        list of ModelInput
            One for each, in their order.
        """
        keys = [one if isinstance(one, str | bytes) else id(one) for one in molecules]
        inputs = {key: self.read(one, standardise) for key, one in dict(zip(keys, molecules, strict=True)).items()}
        return [inputs[key] for key in keys]

    def embed(
        self,
        smiles: Any,
        pooling: Pooling = "mean",
        batch_tokens: int | None = None,
        on_invalid: OnInvalidMolecule = "nan",
        *,
        batch_size: int = BATCH_SIZE,
        standardise: Standardise = "none",
        dim: int | None = None,
        layer: int = -1,
    ) -> NDArray[np.float32]:
        """Turn molecules into vectors.

        Parameters
        ----------
        smiles : iterable of str or RDKit Mol
            The molecules, in anything that `molecules_in` takes; a single one is taken as a list of one.
        pooling : {"mean", "mean+middle", "mean+max", "first", "states"}
            See `exlm_chem.terms.Pooling`.
        batch_tokens, batch_size : int
            See `EmbeddingOptions`. By default 2,048 tokens on a CPU and 32,768 elsewhere.
        on_invalid : {"nan", "raise"}
            What happens to a molecule that cannot be read: a row of NaN, or an error that says which one and why.
        standardise : {"none", "fragment", "parent"}
            See `read_molecule`.
        dim : int, optional
            Length of the vectors: only what they are on so many of the model's principal axes; see `PrincipalAxes`.
        layer : int
            See `EmbeddingOptions`.

        Returns
        -------
        float32 array of shape (molecules, `vector_width` or dim)
        """
        molecules = molecules_in(smiles)
        if on_invalid not in get_args(OnInvalidMolecule):
            raise ExLMError(f"on_invalid must be 'nan' or 'raise', not '{on_invalid}'")
        inputs = self.read_all(molecules, standardise)
        if on_invalid == "raise":
            for index, (molecule, one) in enumerate(zip(molecules, inputs, strict=True)):
                if one.molecule.error is not None:
                    raise ExLMError(f"molecule {index} ({quoted(molecule)}) has no vector: {one.molecule.error}")
        return self.embed_inputs(inputs, pooling, batch_tokens, batch_size, dim, layer)

    def embed_inputs(
        self,
        inputs: Sequence[ModelInput],
        pooling: Pooling = "mean",
        batch_tokens: int | None = None,
        batch_size: int = BATCH_SIZE,
        dim: int | None = None,
        layer: int = -1,
    ) -> NDArray[np.float32]:
        """Turn molecules that have been read into vectors; NaN for one with an error.

        Parameters
        ----------
        inputs : sequence of ModelInput
            From `read` or `read_all`.
        pooling, batch_tokens, batch_size, dim, layer
            See `embed`.

        Returns
        -------
        float32 array of shape (molecules, `vector_width` or dim)
        """
        EmbeddingOptions(pooling=pooling, dim=dim, layer=layer)  # refuses what cannot be
        good = [index for index, one in enumerate(inputs) if one.token_ids]
        found = self.embed_tokens([inputs[i].token_ids for i in good], pooling, batch_tokens, batch_size, layer)
        vectors = np.full((len(inputs), found.shape[1]), np.nan, dtype=np.float32)
        vectors[good] = found
        return vectors if dim is None else self.axes.reduce(vectors, dim)

    def embed_tokens(
        self,
        token_ids: Sequence[Sequence[int]],
        pooling: Pooling = "mean",
        batch_tokens: int | None = None,
        batch_size: int = BATCH_SIZE,
        layer: int = -1,
    ) -> NDArray[np.float32]:
        """Turn encoded molecules into vectors, in their order.

        Molecules of like length go into one batch; one that occurs several times goes in once.

        Parameters
        ----------
        token_ids : sequence of sequences of int
            As `ExLMTokenizer.encode` gives them, none longer than ``max_tokens``.
        pooling, batch_tokens, batch_size, layer
            See `embed`.

        Returns
        -------
        float32 array of shape (molecules, `vector_width`)
        """
        # refuses what cannot be
        EmbeddingOptions(pooling=pooling, batch_tokens=batch_tokens, batch_size=batch_size, layer=layer)
        layer = self.check_layer(layer)
        index_of: dict[tuple[int, ...], int] = {}
        rows = [index_of.setdefault(tuple(ids), len(index_of)) for ids in token_ids]
        unique = list(index_of)
        vectors = np.empty((len(unique), self.vector_width(pooling)), dtype=np.float32)
        for batch in length_batches(
            [len(ids) for ids in unique], batch_tokens or self.backend.batch_tokens, batch_size
        ):
            vectors[batch] = self.backend.encode(self.tokenizer.pad([unique[index] for index in batch]), pooling, layer)
        return vectors[rows] + np.float32(0)  # never -0.0

    def check_layer(self, layer: int) -> int:
        """Refuse a layer that the model does not have; give the others their number, and -1 to the last."""
        last = self.backend.config.num_hidden_layers
        if not -last - 1 <= layer <= last:
            raise ExLMError(f"there is no layer {layer}: this model has 0 to {last}, or from the end -1 to {-last - 1}")
        return -1 if layer in (-1, last) else layer % (last + 1)
