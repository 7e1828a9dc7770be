"""Labels of tables as values of objectives: for every molecule of a corpus what its table says of it, memory-mapped."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exlm_chem.base_tokenizer import Tokenizer
from exlm_chem.errors import ExLMError
from exlm_chem.modeling.property_loss import CLASSES, NUMBERS
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.label_table import NAMED, LabelTable, read_label_tables
from exlm_chem.pretraining.objective_values import CLAMP, ObjectiveValues
from exlm_chem.smiles.molecule import read_molecule
from exlm_chem.storage import sha256, write_json


def build_label_values(
    corpus: Corpus, tables: Sequence[str], tokenizer: Tokenizer, log: Callable[[str], None] = lambda _: None
) -> list[ObjectiveValues]:
    """Find the labels of the molecules of a corpus; those without any have none that is known.

    A column of 0 and 1 is a class, whose loss is counted in bits, any other a number, standardised by the mean and
    deviation of its table. The classes and the numbers of a table are one objective each.

    Parameters
    ----------
    corpus : Corpus
        The values are kept in its directory.
    tables : sequence of str
        Files; see `read_labels`.
    tokenizer : Tokenizer
        The one that the corpus was made with.
    log : callable, optional
        Is told what was found and what left aside.

    Returns
    -------
    list of ObjectiveValues

    Raises
    ------
    ExLMError
        See `read_label_tables`; and if no molecule of a table is in the corpus.
    """
    if not tables:
        return []
    digest = hashlib.sha256("".join([*tables, *map(sha256, map(Path, tables))]).encode()).hexdigest()[:12]
    texts = cache(partial(_texts, corpus, tokenizer))  # needed only where an earlier run has not left the values
    stores: list[ObjectiveValues] = []
    for table in read_label_tables(tables):
        for note in table.notes:
            log(note)
        for suffix, chosen in ((CLASSES, table.is_class), (NUMBERS, ~table.is_class)):
            columns = np.flatnonzero(chosen).tolist()
            directory = corpus.directory / f"targets-{table.name}{suffix}-{digest}"
            if columns and not (directory / "targets.json").exists():
                rows = np.array([table.rows.get(text, -1) for text in texts()])
                if (rows < 0).all():
                    advice = "name the table among the files that are learnt from, too"
                    raise ExLMError(f"no molecule of the table of labels {table.name} is in the corpus; {advice}.")
                _write(directory, table, suffix, columns, rows)
            if columns:
                stores.append(ObjectiveValues(directory))
                named = f"{', '.join(stores[-1].names[:NAMED])}{', ...' * (len(columns) > NAMED)}"
                log(f"{stores[-1].name}: {len(columns):,} labels ({named}) of {len(table.rows):,} molecules.")
    return stores


def _texts(corpus: Corpus, tokenizer: Tokenizer) -> list[str]:
    """Give *the* text of every molecule of a corpus."""
    written = (tokenizer.decode(corpus[row].tolist()) for row in range(len(corpus)))
    return [read_molecule(text).smiles or text for text in written]


def _write(directory: Path, table: LabelTable, suffix: str, columns: list[int], rows: NDArray[np.int64]) -> None:
    """Write the values, then ``targets.json``, which describes them."""
    directory.mkdir(exist_ok=True)
    values = table.values[:, columns].astype(np.float64)
    known = ~np.isnan(values)
    mean, numbers = np.nanmean(values, 0), suffix == NUMBERS
    if numbers:
        scale, baseline, dtype = np.nanstd(values, 0), 1.0, "float16"
        values = np.clip((values - mean) / np.where(scale > 0, scale, 1), -CLAMP, CLAMP)
    else:
        # Bits, and not shares of what the class's frequency costs: a rare hit would count a thousand times as much.
        scale, baseline, dtype = np.sqrt(mean * (1 - mean)), math.log(2), "int8"
        values = np.where(known, values, -1)
    shape = len(rows), len(columns)
    stored = np.memmap(directory / "values.bin", dtype, mode="w+", shape=shape)
    stored[:] = np.nan if numbers else -1
    labelled = np.flatnonzero(rows >= 0)
    stored[labelled] = values[rows[labelled]].astype(dtype)
    stored.flush()
    content = {
        "name": table.name + suffix,
        "names": [table.columns[column] for column in columns],
        "mean": mean.tolist(),
        "scale": scale.tolist(),
        "baseline": baseline,
        "standardise": numbers,
        "molecules": shape[0],
        "width": shape[1],
        "dtype": dtype,
    }
    write_json(directory / "targets.json", content, indent=None)
