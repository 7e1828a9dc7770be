"""The molecules that an analysis looks at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.cells import split_cell
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tokenizer import ExLMTokenizer


def read_ids(
    molecules: Path | Sequence[str],
    tokenizer: ExLMTokenizer,
    *,
    most_tokens: int,
    least: int,
    most: int | None = None,
    fewest_tokens: int = 3,
    accepts: Callable[[str], bool] = lambda _: True,
    reading: ReadOptions | str | None = None,
) -> list[list[int]]:
    """Read molecules as token ids; what the tokenizer refuses or is too long is left out.

    Parameters
    ----------
    molecules : Path or sequence of str
        See `MoleculeReader`.
    tokenizer : ExLMTokenizer
    most_tokens : int
        Longer molecules are left out.
    least : int
        How many are needed.
    most : int, optional
        Only the first so many are read.
    fewest_tokens : int
        Shorter molecules are left out; ``<s>`` and ``</s>`` count.
    accepts : callable, optional
        Says of a SMILES whether it is wanted.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.

    Raises
    ------
    ExLMError
        When there are fewer than needed.

    Examples
    --------
    >>> [len(ids) for ids in read_ids(["CCO", "C1CC", "CC(", "c1ccccc1"], ExLMTokenizer(), most_tokens=9, least=2)]
    [5, 6, 5]
    """
    found: list[list[int]] = []
    with MoleculeReader(molecules, reading) as reader:
        for record in reader:
            if len(found) == most:
                break
            cell = split_cell(record.smiles)
            if record.error or cell.error or not cell.smiles:
                continue
            try:
                ids = tokenizer.encode(cell.smiles)
            except ExLMError:
                continue
            if fewest_tokens <= len(ids) <= most_tokens and accepts(cell.smiles):
                found.append(ids)
        name = reader.name
    if len(found) < least:
        raise ExLMError(f"{name}: {len(found)} molecules that the model reads, and {least} are needed.")
    return found
