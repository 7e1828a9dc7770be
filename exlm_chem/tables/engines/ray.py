"""Rows answered by workers of Ray, on this machine or on all of a cluster.

A task of Ray Data on this machine reads what is asked, a pool of actors, each of which loads the model once, answers it
chunk by chunk, and this process takes the answers in the order of the rows. It reads the rows itself, and writes the
result, as without Ray. An actor that dies is started again, and what it had in hand is answered once more.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, Final

import pandas as pd
import ray
from ray.data import ActorPoolStrategy, DataContext, Dataset, Datasource, ReadTask, read_datasource
from ray.data.block import BlockMetadata
from ray.data.exceptions import ExecutionTimeoutError, SystemException
from ray.exceptions import RayError

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.machine import versions
from exlm_chem.tables.addition import Addition
from exlm_chem.tables.answers import Answers
from exlm_chem.tables.chunks import Chunk, Question, chunks_of, question_of
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.result_options import ResultOptions

_OBJECT_STORE: Final = 256 * 2**20
"""Bytes that are kept between processes of one machine; more go to the disk."""

_PATIENCE: Final = 10
"""Seconds for a cluster to take up a connection."""

_SETTINGS: Final = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_worker_niceness": "0"}
"""Nothing is sent to Ray's makers, what it has to say is in its own log files, and workers do not give way to all."""


def answered_by_ray(
    reader: MoleculeReader, addition: Addition, needed: Mapping[str, int], options: ResultOptions
) -> Iterator[tuple[Chunk, Answers]]:
    """Answer the rows of a file by workers; see `answered_here`. `reader` and `addition` have an `again`.

    Raises
    ------
    ExLMError
        If there is no such cluster, or the workers cannot do the same as this process.
    """
    if reader.again is None or addition.again is None:
        raise ValueError("workers need to make reader and addition again")
    questions = _Questions(reader.again, dict(needed), options.chunk_size)
    with _connected(options):
        answered = _answered(questions, (addition.again, _described(addition)), options)
        with closing(_taken(answered)) as answers:
            yield from zip(chunks_of(reader, options.chunk_size), answers, strict=True)


class _Questions(Datasource):  # type: ignore[misc]
    """What is asked about the rows of a file, one chunk a block."""

    supports_distributed_reads = False  # the file is on this machine

    def __init__(self, again: Callable[[], MoleculeReader], needed: dict[str, int], size: int) -> None:
        super().__init__()
        self._read = partial(_read, again, needed, size)

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, *_: Any, **__: Any) -> list[ReadTask]:
        return [ReadTask(self._read, BlockMetadata(None, None, None, None))]


def _read(again: Callable[[], MoleculeReader], needed: dict[str, int], size: int) -> Iterator[pd.DataFrame]:
    with again() as reader:
        try:
            for chunk in chunks_of(reader, size):
                yield pd.DataFrame({"question": [question_of(chunk, needed)]})
        except ExLMError:  # the process that asked reads the same and says so
            return


class _Worker:
    """An actor: loads the model once, answers chunks; what is wrong is an answer too."""

    def __init__(self, again: Callable[[], Addition], described: str) -> None:
        os.environ["LOKY_MAX_CPU_COUNT"] = "1"  # it is one of several itself
        self._error: ExLMError | None = None
        try:
            self._addition = again()
            if _described(self._addition) != described:
                raise ExLMError("the workers of Ray have another model, ExLM-chem or RDKit than this machine")
        except ExLMError as error:
            self._error = error

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"answers": [self._answer(question) for question in rows["question"]]})

    def _answer(self, question: Question) -> Answers | ExLMError:
        try:
            return self._error or self._addition.begin(*question)()
        except ExLMError as error:
            return error


def _described(addition: Addition) -> str:
    known = versions()
    about = {name: known[name] for name in ("exlm-chem", "rdkit")}
    return json.dumps([about, addition.depends_on()], sort_keys=True, default=str)


def _answered(questions: _Questions, worker: tuple[Any, ...], options: ResultOptions) -> Dataset:
    """Say what is to be done; it is done when the answers are taken."""
    context = DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.target_max_block_size = 1  # no chunk waits for another
    context.batch_to_block_arrow_format = False  # answers are objects
    context.enable_progress_bars = False
    found = ray.cluster_resources()
    gpus = 0 if options.device == "cpu" or options.backend == "onnx" else int(found.get("GPU", 0))
    workers = options.ray_workers or gpus or int(found["CPU"])
    with DataContext.current(context):
        return read_datasource(questions, override_num_blocks=1, num_cpus=0).map_batches(
            _Worker,
            fn_constructor_args=worker,
            batch_format="pandas",
            compute=ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
            num_cpus=1,
            num_gpus=1 if gpus else 0,
        )


def _taken(answered: Dataset) -> Generator[Answers]:
    try:
        for row in answered.iter_rows():
            if isinstance(row["answers"], ExLMError):
                raise row["answers"]
            yield row["answers"]
    except (RayError, SystemException, ExecutionTimeoutError) as error:
        raise ExLMError(f"Ray could not go on: {quoted(str(error).strip().splitlines()[-1])}") from error


@contextmanager
def _connected(options: ResultOptions) -> Iterator[None]:
    """Use the cluster that this process knows, that of the address, or one on this machine while it is needed."""
    loggers = [logging.getLogger(name) for name in ("ray", "ray.data")]
    levels = [logger.level for logger in loggers]
    mine = not ray.is_initialized()
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        if mine:
            _connect(options.ray_address or os.environ.get("RAY_ADDRESS"), options.ray_workers)
        yield
    finally:
        if mine:
            ray.shutdown()
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _connect(address: str | None, workers: int | None) -> None:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    if address is not None and address.startswith("ray://"):
        raise ExLMError(f"{quoted(address)} is for Ray's client; run this on a machine of the cluster, with HOST:PORT")
    own = {"num_cpus": workers, "object_store_memory": _OBJECT_STORE, "include_dashboard": False}
    try:
        host, _, port = (address or "").rpartition(":")
        if port.isdigit():  # Ray itself would try for minutes
            socket.create_connection((host, int(port)), _PATIENCE).close()
        ray.init(address or "local", logging_level=logging.ERROR, log_to_driver=False, **({} if address else own))
    except (OSError, OverflowError, RuntimeError, ValueError) as error:
        if address is None:
            raise ExLMError(f"Ray does not start on this machine: {quoted(str(error))}") from None
        about = "check --ray-address, and RAY_AUTH_TOKEN if the cluster has a token"
        raise ExLMError(f"no cluster of Ray answers at {quoted(address)}: {quoted(str(error))}; {about}") from None
