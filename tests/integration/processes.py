"""Processes of their own that need no time to start: they come from one that has imported everything.

Nine tenths of what a short ``exlm-chem pretrain`` takes is the import of torch and what trains with it.
"""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

METHOD = "forkserver"
_CONTEXT = multiprocessing.get_context(METHOD)
_IMPORTED = ["exlm_chem.cli.pretrain", "exlm_chem.pretraining.run", "torch._dynamo", "matplotlib.backends.backend_agg"]


def prepare() -> None:
    """Say what the process imports that all others come from; it is started with the first of them."""
    _CONTEXT.set_forkserver_preload(_IMPORTED)


def command(*args: str) -> None:
    """Run ``exlm-chem`` in this process; an error is raised."""
    from exlm_chem.cli.main import app

    app(args=args, standalone_mode=False)


def _main(errors: Path, args: tuple[str, ...]) -> None:
    from exlm_chem.cli.main import main

    with errors.open("w") as file:
        os.dup2(file.fileno(), 2)
    sys.argv = ["exlm-chem", *args]
    main()


@contextmanager
def started(errors: Path, *args: str) -> Iterator[ForkServerProcess]:
    """Run ``exlm-chem`` in a process of its own, which ends with the block at the latest.

    Parameters
    ----------
    errors : Path
        Where it writes what it says on stderr.
    args : str
        The arguments.
    """
    prepare()
    process = _CONTEXT.Process(target=_main, args=(errors, args))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
