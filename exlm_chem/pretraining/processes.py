"""Worker processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from exlm_chem.errors import ExLMError


@contextmanager
def process_pool(
    workers: int, initializer: Callable[..., None] | None = None, settings: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """Start worker processes, and end them when their work is not wanted any more.

    Parameters
    ----------
    workers : int
        How many.
    initializer : callable, optional
        Called with `settings` in each of them first.
    settings : tuple

    Raises
    ------
    ExLMError
        When a worker dies, or cannot start.
    """
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    pool = ProcessPoolExecutor(workers, context, initializer, settings)
    try:
        yield pool
    except BrokenProcessPool:
        advice = 'a script that starts processes must do so below: if __name__ == "__main__"'
        raise ExLMError(f"a worker process died; was it out of memory? ({advice})") from None
    finally:
        pool.shutdown(cancel_futures=True)
