"""Vectors for a whole file: a stream of rows, one for each row of the input, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.embedding.options import EmbeddingOptions
from exlm_chem.errors import ExLMError
from exlm_chem.locations import portable
from exlm_chem.tables.addition import Addition
from exlm_chem.tables.answers import Answers, Reading
from exlm_chem.tables.arrays import ARRAY_SUFFIXES, VECTOR_TYPES, open_arrays
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.results import ResultTable, Summary
from exlm_chem.tables.writers import open_writer


def embed_file(
    molecules: Path | Sequence[str],
    embedder: ExLM | str | Path,
    output: str | Path,
    options: EmbeddingOptions | None = None,
    *,
    reading: ReadOptions | str | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Summary:
    """Turn the molecules of a file into vectors, in constant memory.

    Parameters
    ----------
    molecules : Path or sequence of str
        See `MoleculeReader`.
    embedder : ExLM, str or Path
        The model, or the name or directory to load it from.
    output : path
        ``.npz`` (the array ``vectors``, and an array of texts for each other column), ``.npy`` (vectors only), or a
        table (see `open_writer`). The columns are those of the input, ``exlm_0``, ``exlm_1``, ..., ``smiles_used`` if
        there is a rule of standardisation, ``note`` and ``error``. Where a name is taken, ours gets the prefix
        ``exlm_``. As int8, ``vectors`` stands beside ``scale``, by which its columns are to be multiplied, and a row
        without a vector holds -128; `vectors_in` reads it.
    options : EmbeddingOptions, optional
        How the vectors are made.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    progress : callable, optional
        Called with the number of rows done so far.

    Returns
    -------
    Summary

    Raises
    ------
    ExLMError
        In one sentence, and without an output file.
    """
    options = options or EmbeddingOptions()
    if options.dtype == "int8" and Path(output).suffix.lower() != ".npz":
        raise ExLMError(f"--dtype int8 needs a .npz, which holds a scale for each column; call {output} so")
    opened = open_arrays if Path(output).suffix.lower() in ARRAY_SUFFIXES else open_writer
    with MoleculeReader(molecules, reading) as reader:
        return ResultTable(reader, _vectors(embedder, options), options).write(str(output), opened, progress)


def _vectors(model: ExLM | str | Path, options: EmbeddingOptions) -> Addition:
    again = None
    if isinstance(model, ExLM):
        embedder = model
    else:
        embedder = ExLM.from_pretrained(model, options.device, options.backend, options.precision)
        again = partial(_vectors, portable(model), options)

    def answer(smiles: Sequence[str | None]) -> Answers:
        inputs = embedder.read_all(smiles, options.standardise)
        sizes = options.batch_tokens, options.batch_size, options.dim
        vectors = embedder.embed_inputs(inputs, options.pooling, *sizes, layer=options.layer)
        return Answers(vectors, [Reading("exlm", options.standardise, [one.molecule for one in inputs])])

    if options.dim is not None:
        embedder.axes.check(options.dim)
    kind, width = VECTOR_TYPES[options.dtype], options.dim or embedder.vector_width(options.pooling)
    return Addition(
        name="exlm",
        columns=[(f"exlm_{index}", "exlm", kind) for index in range(width)],
        rules=[options.standardise],
        begin=lambda smiles, _: partial(answer, smiles),
        answered="with a vector",
        unanswered="without",
        depends_on=lambda: [
            embedder.fingerprint,
            embedder.tokenizer.fingerprint,
            *([] if options.dim is None else [embedder.axes.fingerprint]),
        ],
        again=again,
    )
