"""`ExLM`: molecules in, one vector each out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save as to_bytes

from exlm_chem.embedding.options import EmbeddingOptions
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.machine import checked_device
from exlm_chem.model_directory import open_model, write_model
from exlm_chem.modeling import ExLMModel
from exlm_chem.smiles.containers import molecules_in
from exlm_chem.smiles.molecule import Molecule, read_molecule
from exlm_chem.terms import OnInvalidMolecule, Pooling, Standardise
from exlm_chem.tokenizer import ExLMTokenizer
from exlm_chem.training.bucketing import length_batches

BATCH_SIZE = EmbeddingOptions.batch_size
# A processor is fastest when a batch fits into its cache (2,048 tokens: 1.3 x as fast as 8,192), a GPU when it is full.
BATCH_TOKENS = {"cpu": 2048}
BATCH_TOKENS_GPU = 32768


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What the model reads for one cell of a table: the molecule and its token ids, none if it has an error."""

    molecule: Molecule
    token_ids: tuple[int, ...] = ()


class ExLM:
    """An encoder with its tokenizer: turns molecules into vectors.

    The vector of a molecule depends on neither the way its SMILES is written nor the other molecules of the call.

    Parameters
    ----------
    model : ExLMModel
        The encoder; it is put on the device and into evaluation mode.
    tokenizer : ExLMTokenizer
        The tokenizer that the encoder was trained with.
    device : str
        A torch device, or "auto" for the first of CUDA, MPS and CPU that there is.

    Examples
    --------
    >>> from exlm_chem.modeling import ExLMConfig
    >>> tokenizer = ExLMTokenizer()
    >>> config = ExLMConfig.preset("tiny", tokenizer.vocab_size, mask_token_id=tokenizer.mask_id)
    >>> embedder = ExLM(ExLMModel(config), tokenizer, device="cpu")
    >>> vectors = embedder.embed(["OCC", "CCO", "no molecule"])
    >>> vectors.shape, bool((vectors[0] == vectors[1]).all()), bool(np.isnan(vectors[2]).all())
    ((3, 96), True, True)
    """

    def __init__(self, model: ExLMModel, tokenizer: ExLMTokenizer, device: str = "auto") -> None:
        if model.config.vocab_size != tokenizer.vocab_size:
            raise ExLMError(
                f"the model knows {model.config.vocab_size} tokens and the tokenizer {tokenizer.vocab_size}: "
                "they do not belong together"
            )
        self.device = pick_device(device)
        self.model = model.to(self.device).eval()
        self.tokenizer = tokenizer

    def __repr__(self) -> str:
        layers = self.model.config.num_hidden_layers
        return (
            f"ExLM(width={self.width}, layers={layers}, scheme={self.tokenizer.scheme!r}, device={str(self.device)!r})"
        )

    @classmethod
    def from_pretrained(cls, name_or_directory: str | Path = "exlm-small", device: str = "auto") -> Self:
        """Read a model that ships with the package, or a directory; of a predictor, its encoder.

        Parameters
        ----------
        name_or_directory : str or Path
            See `exlm_chem.locations.locate`.
        device : str
            See the class.
        """
        found = open_model(name_or_directory)
        embedder = cls(ExLMModel.from_pretrained(found.path), found.tokenizer, device)
        embedder.fingerprint = found.fingerprint
        return embedder

    def save_pretrained(self, directory: str | Path) -> None:
        """Write encoder and tokenizer as a model directory."""
        write_model(directory, self.model, self.tokenizer)

    @property
    def width(self) -> int:
        """Length of a vector."""
        return self.model.config.hidden_size

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 of ``model.safetensors``: of the file that was read, or of the one that would be written."""
        weights = {name: value.cpu().contiguous() for name, value in self.model.state_dict().items()}
        return hashlib.sha256(to_bytes(weights, metadata={"format": "pt"})).hexdigest()

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
        result = read_molecule(molecule, standardise)
        if result.error is not None:
            return ModelInput(result)
        try:
            ids = self.tokenizer.encode(result.smiles)
        except ValueError as error:  # for SELFIES, some molecules have no words
            return ModelInput(replace(result, smiles="", error=str(error)))
        limit = self.model.config.max_tokens
        if len(ids) > limit:
            reason = f"too long for this model: {len(ids) - 2:,} tokens, and it reads {limit - 2:,}"
            return ModelInput(replace(result, smiles="", error=reason))
        return ModelInput(result, tuple(ids))

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
    ) -> NDArray[np.float32]:
        """Turn molecules into vectors.

        Parameters
        ----------
        smiles : iterable of str or RDKit Mol
            The molecules, in anything that `molecules_in` takes; a single one is taken as a list of one.
        pooling : {"mean", "first"}
            Mean over the tokens that are not special, or the first state of ``<s>``.
        batch_tokens, batch_size : int
            See `EmbeddingOptions`. By default 2,048 tokens on a CPU and 32,768 elsewhere.
        on_invalid : {"nan", "raise"}
            What happens to a molecule that cannot be read: a row of NaN, or an error that says which one and why.
        standardise : {"none", "fragment", "parent"}
            See `read_molecule`.

        Returns
        -------
        float32 array of shape (molecules, width)
        """
        molecules = molecules_in(smiles)
        if on_invalid not in get_args(OnInvalidMolecule):
            raise ExLMError(f"on_invalid must be 'nan' or 'raise', not '{on_invalid}'")
        inputs = self.read_all(molecules, standardise)
        if on_invalid == "raise":
            for index, (molecule, one) in enumerate(zip(molecules, inputs, strict=True)):
                if one.molecule.error is not None:
                    raise ExLMError(f"molecule {index} ({quoted(molecule)}) has no vector: {one.molecule.error}")
        return self.embed_inputs(inputs, pooling, batch_tokens, batch_size)

    def embed_inputs(
        self,
        inputs: Sequence[ModelInput],
        pooling: Pooling = "mean",
        batch_tokens: int | None = None,
        batch_size: int = BATCH_SIZE,
    ) -> NDArray[np.float32]:
        """Turn molecules that have been read into vectors; NaN for one with an error.

        Parameters
        ----------
        inputs : sequence of ModelInput
            From `read` or `read_all`.
        pooling, batch_tokens, batch_size
            See `embed`.

        Returns
        -------
        float32 array of shape (molecules, width)
        """
        vectors = np.full((len(inputs), self.width), np.nan, dtype=np.float32)
        good = [index for index, one in enumerate(inputs) if one.token_ids]
        vectors[good] = self.embed_tokens([inputs[i].token_ids for i in good], pooling, batch_tokens, batch_size)
        return vectors

    def embed_tokens(
        self,
        token_ids: Sequence[Sequence[int]],
        pooling: Pooling = "mean",
        batch_tokens: int | None = None,
        batch_size: int = BATCH_SIZE,
    ) -> NDArray[np.float32]:
        """Turn encoded molecules into vectors, in their order.

        Molecules of like length go into one batch; one that occurs several times goes in once.

        Parameters
        ----------
        token_ids : sequence of sequences of int
            As `ExLMTokenizer.encode` gives them, none longer than ``model.config.max_tokens``.
        pooling, batch_tokens, batch_size
            See `embed`.

        Returns
        -------
        float32 array of shape (molecules, width)
        """
        EmbeddingOptions(pooling=pooling, batch_tokens=batch_tokens, batch_size=batch_size)  # refuses what cannot be
        index_of: dict[tuple[int, ...], int] = {}
        rows = [index_of.setdefault(tuple(ids), len(index_of)) for ids in token_ids]
        unique = list(index_of)
        vectors = np.empty((len(unique), self.width), dtype=np.float32)
        batch_tokens = batch_tokens or BATCH_TOKENS.get(self.device.type, BATCH_TOKENS_GPU)
        with torch.inference_mode():
            for batch in length_batches([len(ids) for ids in unique], batch_tokens, batch_size):
                input_ids = torch.from_numpy(self.tokenizer.pad([unique[index] for index in batch]))
                vectors[batch] = self.model.embed(input_ids.to(self.device), pooling).float().cpu().numpy()
        return vectors[rows] + np.float32(0)  # never -0.0


def pick_device(name: str = "auto") -> torch.device:
    """Give the torch device of a name, or for "auto" the first of CUDA, MPS and CPU that there is.

    Examples
    --------
    >>> pick_device("cpu")
    device(type='cpu')
    """
    if checked_device(name) == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise ExLMError(f"there is no device '{name}' here: {str(error).splitlines()[0]}") from None
