"""An objective's values for a whole corpus: computed once on all processors, kept beside its tokens, memory-mapped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.base_tokenizer import Tokenizer
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.objectives import molecule_objective, objective_values
from exlm_chem.pretraining.processes import process_pool
from exlm_chem.storage import read_json, write_json
from exlm_chem.terms import MoleculeObjective

FloatArray = NDArray[np.float64]

CHUNK = 1024
SAMPLE = 10_000
CLAMP = 6.0


class ObjectiveValues:
    """The values of an objective for every molecule of a corpus.

    Numbers to be regressed are standardised by the moments of a sample of the corpus and clamped to 6 standard
    deviations; one that is the same for the whole sample is left out.

    Parameters
    ----------
    directory : path
        What `build_objective_values` or `build_label_values` made.

    Attributes
    ----------
    name : str
        "descriptors", "ecfp", or that of a table of labels and "-classes" or "-numbers".
    names : list of str
        Of the values.
    mean, scale : list of float
        By which each was standardised; of bits, share and deviation.
    baseline : float
        Loss of a model that knows only how the values are distributed; of labels that are classes, one bit.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = directory = Path(directory)
        content = read_json(directory / "targets.json", f"remove {directory}, which is made again")
        self.name: str = content["name"]
        self.names: list[str] = content["names"]
        self.mean: list[float] = content["mean"]
        self.scale: list[float] = content["scale"]
        self.baseline: float = content["baseline"]
        self.is_regression: bool = content["standardise"]
        shape = content["molecules"], content["width"]
        self._values = np.memmap(directory / "values.bin", content["dtype"], mode="r", shape=shape)

    def __reduce__(self) -> tuple[type[ObjectiveValues], tuple[Path]]:
        return ObjectiveValues, (self.directory,)  # as for `Corpus`

    def describe(self) -> dict[str, list[Any]]:
        """Names and constants, for the model's directory."""
        return {"names": self.names, "mean": self.mean, "scale": self.scale}

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Values of some rows of the corpus, shape (rows, numbers); NaN where missing."""
        values = self._values[rows]
        if values.dtype == np.uint8:
            bits = np.unpackbits(values, axis=1, count=len(self.names)).astype(np.float32)
            bits[~values.any(1)] = np.nan  # RDKit refused it: of a molecule, each atom sets a bit
            return bits
        if values.dtype == np.int8:
            return np.where(values < 0, np.nan, values).astype(np.float32)
        return values.astype(np.float32)


def build_objective_values(
    corpus: Corpus,
    name: MoleculeObjective,
    tokenizer: Tokenizer,
    workers: int | None = None,
    report: Callable[[float], None] = lambda _: None,
) -> ObjectiveValues:
    """Compute the values of an objective for a corpus, or what is missing of them.

    Parameters
    ----------
    corpus : Corpus
        They are kept in its directory.
    name : {"descriptors", "ecfp"}
        The objective.
    tokenizer : Tokenizer
        The one that the corpus was made with.
    workers : int, optional
        Processes; as many as there are processors by default.
    report : callable, optional
        Called with the share that is done.

    Returns
    -------
    ObjectiveValues
    """
    directory = corpus.directory / f"targets-{name}"
    directory.mkdir(exist_ok=True)
    chunks = -(-len(corpus) // CHUNK)
    settings = corpus.directory, name, tokenizer
    processes = min(workers or os.cpu_count() or 1, chunks)
    if (directory / "targets.json").exists() and not _missing(directory, chunks):
        return ObjectiveValues(directory)
    with _shared_work(processes, settings) as over:
        if not (directory / "targets.json").exists():
            _describe(directory, name, len(corpus), *_sample_moments(over, len(corpus)))
        done = np.memmap(directory / "done.bin", np.uint8, mode="r+", shape=(chunks,))
        missing = _missing(directory, chunks)
        for finished, chunk in enumerate(over(_compute_chunk, missing)):
            done[chunk] = 1
            report((chunks - len(missing) + finished + 1) / chunks)
        done.flush()
    return ObjectiveValues(directory)


@contextmanager
def _shared_work(processes: int, settings: tuple[Any, ...]) -> Iterator[Callable[..., Iterator[Any]]]:
    """Give a ``map`` over worker processes, or over this one alone where one is enough."""
    if processes == 1:
        _start_worker(*settings)
        yield map
        return
    with process_pool(processes, _start_worker, settings) as pool:
        yield pool.map


def _missing(directory: Path, chunks: int) -> list[int]:
    done = np.memmap(directory / "done.bin", np.uint8, mode="r", shape=(chunks,))
    missing: list[int] = np.flatnonzero(done == 0).tolist()
    return missing


def _describe(directory: Path, name: MoleculeObjective, molecules: int, mean: FloatArray, scale: FloatArray) -> None:
    """Write ``targets.json`` last, when the files that it describes are there."""
    kind = molecule_objective(name)
    if kind.standardise:
        columns, baseline = np.flatnonzero(scale > 0), 1.0
        width, dtype = len(columns), "float16"
    else:
        columns, baseline = np.arange(len(mean)), float(_entropy(mean).mean())
        width, dtype = -(-len(columns) // 8), "uint8"
    np.memmap(directory / "values.bin", dtype, mode="w+", shape=(molecules, width))
    np.memmap(directory / "done.bin", np.uint8, mode="w+", shape=(-(-molecules // CHUNK),))
    content = {
        "name": name,
        "names": [kind.block.names[column] for column in columns],
        "columns": columns.tolist(),
        "mean": mean[columns].tolist(),
        "scale": scale[columns].tolist(),
        "baseline": baseline,
        "clamp": CLAMP,
        "standardise": kind.standardise,
        "molecules": molecules,
        "width": width,
        "dtype": dtype,
    }
    write_json(directory / "targets.json", content, indent=None)


def _entropy(share: FloatArray) -> FloatArray:
    """Entropy in nats of bits that are 1 as often as `share` says."""
    safe = np.clip(share, 1e-12, 1 - 1e-12)
    return -(safe * np.log(safe) + (1 - safe) * np.log(1 - safe))


def _sample_moments(over: Callable[..., Iterator[Any]], molecules: int) -> tuple[FloatArray, FloatArray]:
    rows = np.unique(np.linspace(0, molecules - 1, min(SAMPLE, molecules)).astype(np.int64))
    parts = np.array_split(rows, max(1, len(rows) // 256))
    raw = np.concatenate(list(over(_compute_rows, parts))).astype(np.float64)
    present = ~np.isnan(raw)
    count = np.maximum(present.sum(0), 1)
    mean = np.where(present, raw, 0).sum(0) / count
    deviation = np.where(present, raw - mean, 0)
    # A few huge values would make all others look alike: the scale is that of the values inside the clamp.
    scale = np.sqrt((deviation**2).sum(0) / count)
    inside = np.clip(deviation, -CLAMP * scale, CLAMP * scale)
    return mean, np.sqrt((inside**2).sum(0) / count)


# What follows runs in the workers (or in this process alone), which open the files once each.
_corpus: Corpus
_name: MoleculeObjective
_tokenizer: Tokenizer


def _start_worker(directory: Path, name: MoleculeObjective, tokenizer: Tokenizer) -> None:
    global _corpus, _name, _tokenizer
    _corpus, _name, _tokenizer = Corpus(directory), name, tokenizer


def _compute_rows(rows: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.stack([objective_values(_tokenizer.decode(_corpus[row].tolist()), _name) for row in rows])


def _compute_chunk(chunk: int) -> int:
    directory = _corpus.directory / f"targets-{_name}"
    content = read_json(directory / "targets.json", f"remove {directory}, which is made again")
    rows = np.arange(chunk * CHUNK, min((chunk + 1) * CHUNK, len(_corpus)))
    values = _compute_rows(rows)[:, content["columns"]]
    if content["standardise"]:
        values = np.clip((values - content["mean"]) / content["scale"], -CLAMP, CLAMP)
    stored = values if content["standardise"] else np.packbits(np.nan_to_num(values).astype(np.uint8), axis=1)
    shape = content["molecules"], content["width"]
    target = np.memmap(directory / "values.bin", content["dtype"], mode="r+", shape=shape)
    target[rows] = stored.astype(content["dtype"])
    target.flush()
    return chunk
