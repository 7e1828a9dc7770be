"""Processes that compute beside this one: started when there is work for them, shared by all calls, gone when idle.

They are those of loky, joblib's own: `multiprocessing` would run the user's script once more in each of them.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

T = TypeVar("T")

IDLE_SECONDS: Final = 30
"""After which a process ends that is given nothing to do."""

_started: list[Any] = []


def processors() -> int:
    """Give how many processors this process may use; one if it is itself beside another.

    Examples
    --------
    >>> processors() >= 1
    True
    """
    from joblib.externals.loky import cpu_count

    return int(cpu_count()) if multiprocessing.parent_process() is None else 1


def start_parts(
    function: Callable[..., T], parts: Sequence[Any], *rest: Any, processes: int | None = None
) -> Callable[[], list[T]]:
    """Start a function of every part in other processes.

    Parameters
    ----------
    function : callable
        Of a module; takes a part, and `rest`.
    parts : sequence
        What there is to do.
    *rest
        Further arguments of the function.
    processes : int, optional
        All processors by default.

    Returns
    -------
    callable
        Waits for the results and gives them in the order of the parts.

    Examples
    --------
    >>> start_parts(len, ["C", "CCO"], processes=2)()
    [1, 3]
    """
    from joblib.externals.loky import get_reusable_executor

    executor = get_reusable_executor(processes or processors(), timeout=IDLE_SECONDS, initializer=_leave_interrupts)
    _started[:] = [executor]
    futures = [executor.submit(function, part, *rest) for part in parts]

    def results() -> list[T]:
        try:
            return [future.result() for future in futures]
        except BrokenExecutor:  # the system ended a process, for want of memory: this one does the work
            return [function(part, *rest) for part in parts]

    return results


@contextmanager
def killed_on_failure() -> Iterator[None]:
    """End the processes at once if what is inside fails or is interrupted; they would finish what they have begun.

    Examples
    --------
    >>> with killed_on_failure():
    ...     start_parts(len, ["C"], processes=2)()
    [1]
    """
    try:
        yield
    except BaseException:
        while _started:
            _kill(_started.pop())
        raise


def _kill(executor: Any) -> None:
    """End the processes of an executor and forget what waits for them."""
    # loky forgets the parts but not their numbers, and its thread then fails on the first number that it takes up.
    with suppress(queue.Empty):
        while True:
            executor._work_ids.get_nowait()  # noqa: SLF001
    executor.shutdown(wait=True, kill_workers=True)


def _leave_interrupts() -> None:
    """Leave Ctrl-C to the parent, which then ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
