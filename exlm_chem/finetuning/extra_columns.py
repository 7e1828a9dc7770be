"""Columns of the training table that a head reads besides the molecules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.features.columns import ColumnsBlock
from exlm_chem.finetuning.dataset import Dataset
from exlm_chem.finetuning.messages import Log
from exlm_chem.tables.columns import normalised


def check_extra_columns(names: Sequence[str], targets: Sequence[str]) -> None:
    """Refuse a column that is to be predicted.

    Examples
    --------
    >>> check_extra_columns(["pH"], ["logD"])
    """
    labels = set(map(normalised, targets))
    for name in names:
        if normalised(name) in labels:
            raise ExLMError(f"--extra-columns: {quoted(name)} is a column of labels; leave it out")


def encode_columns(
    dataset: Dataset, names: Sequence[str], train: Sequence[int], log: Log
) -> tuple[ColumnsBlock, NDArray[np.float32]]:
    """Find out what the columns hold in the training part, and make numbers of the cells of all molecules.

    Parameters
    ----------
    dataset : Dataset
        With the cells of the columns among its `others`.
    names : sequence of str
        The columns.
    train : sequence of int
        The molecules that are learnt from.
    log : callable
        Is told what each column is taken for, and what is unknown outside of the training part.

    Raises
    ------
    ExLMError
        If nothing can be learnt from a column, or a molecule of another part has no number where those of the training
        part have.
    """
    cells = {name: dataset.others[name] for name in names}
    block = ColumnsBlock.fit({name: [column[row] for row in train] for name, column in cells.items()})
    log(f"read besides the molecules: {'; '.join(map(str, block.columns))}")
    encoded = block.encode(cells)
    for line, error in zip(dataset.lines, encoded.errors, strict=True):
        if error is not None:
            raise ExLMError(f"{dataset.name}, line {line}, {error}; the training part has numbers there, so correct it")
    unknown = [(line, note) for line, note in zip(dataset.lines, encoded.notes, strict=True) if note is not None]
    if unknown:
        line, note = unknown[0]
        log(f"unknown in {len(unknown):,} rows, the first in line {line}: {note}")
    return block, encoded.numbers
