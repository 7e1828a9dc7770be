"""Rows answered in this process, the next ones begun before those at hand are finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from exlm_chem.tables.addition import Addition
from exlm_chem.tables.answer_store import AnswerStore
from exlm_chem.tables.answers import Answers
from exlm_chem.tables.chunks import Chunk, chunks_of, question_of
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.result_options import ResultOptions


def answered_here(
    reader: MoleculeReader,
    addition: Addition,
    needed: Mapping[str, int],
    options: ResultOptions,
    store: AnswerStore | None = None,
) -> Iterator[tuple[Chunk, Answers]]:
    """Answer the rows of a file in this process.

    Parameters
    ----------
    reader : MoleculeReader
        The file.
    addition : Addition
        What answers.
    needed : mapping of str to int
        See `question_of`.
    options : ResultOptions
        The size of the chunks.
    store : AnswerStore, optional
        Keeps what is finished, and has what an earlier run has finished.

    Yields
    ------
    (list of Record, Answers)
        In the order of the rows.
    """
    begun: tuple[Chunk, Callable[[], Answers]] | None = None
    for number, chunk in enumerate(chunks_of(reader, options.chunk_size)):
        begin = partial(addition.begin, *question_of(chunk, needed))
        before, begun = begun, (chunk, begin() if store is None else store.begin(number, begin))
        if before is not None:
            yield before[0], before[1]()
    if begun is not None:
        yield begun[0], begun[1]()
