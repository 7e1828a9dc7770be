"""Molecules with masks: the same ones whichever model is asked about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exlm_chem.modeling.inputs import NOT_A_TARGET
from exlm_chem.pretraining.mask_units import mask_units
from exlm_chem.pretraining.masking import draw_mask_counts, mask_tokens
from exlm_chem.tokenizer import ExLMTokenizer

MaskKind = Literal["token", "pair", "span", "fragment"]
"""What is masked: tokens anywhere, two neighbours in a molecule, runs of neighbours, or fragments."""


@dataclass(frozen=True)
class MaskedMolecules:
    """Molecules as token ids, some of them hidden.

    Attributes
    ----------
    input_ids, labels : array of int64, shape (B, T)
        As `exlm_chem.modeling.inputs.prepare_inputs` takes them, padded on the right.
    """

    input_ids: NDArray[np.int64]
    labels: NDArray[np.int64]

    @property
    def original(self) -> NDArray[np.int64]:
        """The token ids without masks."""
        return np.where(self.labels == NOT_A_TARGET, self.input_ids, self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, size: int, pad_id: int) -> Iterator[MaskedMolecules]:
        """Cut into batches in the order of the lengths, each no wider than it has to be."""
        lengths = (self.input_ids != pad_id).sum(1)
        order = lengths.argsort(kind="stable")
        for start in range(0, len(self), size):
            rows = order[start : start + size]
            width = lengths[rows].max()
            yield MaskedMolecules(self.input_ids[rows, :width], self.labels[rows, :width])


def mask_molecules(
    smiles: Sequence[str], tokenizer: ExLMTokenizer, kind: MaskKind, ratio: float, seed: int
) -> MaskedMolecules:
    """Hide tokens of molecules; see `mask_ids`.

    Examples
    --------
    >>> masked = mask_molecules(["CCOC(=O)C", "c1ccccc1"], ExLMTokenizer(), "pair", 0.2, seed=0)
    >>> (masked.labels >= 0).sum(1).tolist()
    [2, 2]
    """
    ids = tokenizer.pad([tokenizer.encode(one) for one in smiles])
    return mask_ids(ids, tokenizer, kind, ratio, np.random.default_rng(seed))


def mask_ids(
    ids: NDArray[np.int64], tokenizer: ExLMTokenizer, kind: MaskKind, ratio: float, generator: np.random.Generator
) -> MaskedMolecules:
    """Hide tokens of molecules that are token ids already.

    Parameters
    ----------
    ids : array of int64, shape (B, T)
    tokenizer : ExLMTokenizer
    kind : {"token", "pair", "span", "fragment"}
        What is hidden together; see `mask_units`. "pair" hides two neighbours in every molecule.
    ratio : float
        Share of the tokens that is hidden (but for "pair").
    generator : numpy.random.Generator
        Decides which.

    Returns
    -------
    MaskedMolecules
    """
    lengths = (ids != tokenizer.pad_id).sum(1)
    if kind == "pair":
        begin = 1 + generator.integers(np.maximum(lengths - 3, 1))
        place = np.arange(ids.shape[1]) - begin[:, None]
        chosen = (place >= 0) & (place < 2) & (ids > tokenizer.unk_id)
        return MaskedMolecules(np.where(chosen, tokenizer.mask_id, ids), np.where(chosen, ids, NOT_A_TARGET))
    counts = draw_mask_counts(lengths, ratio, 0.0, generator)
    together = mask_units(kind, ids, tokenizer, generator)
    return MaskedMolecules(*mask_tokens(ids, counts, tokenizer.unk_id + 1, tokenizer.mask_id, generator, together))
