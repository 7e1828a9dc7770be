"""One process beside this one in which a molecule may take as long as it is let, and that can be ended.

It is a plain subprocess that speaks JSON over its pipes: it starts from notebooks, from scripts without a ``__main__``
guard, and from worker processes, which may have no children of `multiprocessing`. It starts at the first suspicious
molecule, lives as long as its parent, and is started again when it had to be ended.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, Final, cast

from exlm_chem.smiles.errors import MoleculeError

SECONDS: Final = 5
"""Processor time that one molecule may take."""

GIGABYTES: Final = 2
"""Memory that it may take."""

OUT_OF_TIME: Final = f"RDKit needs more than {SECONDS} seconds for this molecule"
OUT_OF_MEMORY: Final = f"RDKit needs more than {GIGABYTES} GB of memory for this molecule"
CRASHED: Final = "RDKit crashes on this molecule"

_PATIENCE: Final = 4 * SECONDS  # on the clock, for a machine that has other work; the worker itself counts its work
_START: Final = 120.0
_REMEMBERED: Final = 1000

_COMMAND: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from exlm_chem.smiles import worker; worker.serve()"
)


class _Worker:
    """The process, seen from its parent."""

    def __init__(self) -> None:
        if not sys.executable:
            raise MoleculeError("it may take RDKit too long, and no process can be started here to find out")
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", _COMMAND, json.dumps(sys.path)]
        try:
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)  # noqa: S603
        except OSError as error:
            reason = f"it may take RDKit too long, and no process can be started: {error.strerror}"
            raise MoleculeError(reason) from None
        if self._answer(_START) is None:
            self.end()
            raise MoleculeError("it may take RDKit too long, and the process that would find out does not start")

    def ask(self, question: list[Any]) -> dict[str, Any] | None:
        """Send a question and give the answer, or None if the process had to be ended."""
        try:
            self._stdin.write(json.dumps(question).encode("ascii") + b"\n")
            self._stdin.flush()
        except OSError:
            return None
        return self._answer(_PATIENCE)

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        timer = threading.Timer(seconds, self.process.kill)
        timer.daemon = True
        timer.start()
        try:
            line = self._stdout.readline()
        finally:
            timer.cancel()
        answer: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        return answer

    @property
    def _stdin(self) -> IO[bytes]:
        return cast("IO[bytes]", self.process.stdin)

    @property
    def _stdout(self) -> IO[bytes]:
        return cast("IO[bytes]", self.process.stdout)

    def end(self) -> int:
        """End the process and give its exit status; negative is a signal."""
        with suppress(OSError):
            self.process.kill()
        for stream in (self._stdin, self._stdout):
            with suppress(OSError):
                stream.close()
        return self.process.wait()


class _Client:
    """Asks the process, starts it when it is needed, and remembers whom it was ended for."""

    def __init__(self) -> None:
        self.worker: _Worker | None = None
        self.lock = threading.Lock()
        self.refused: OrderedDict[tuple[str, str], str] = OrderedDict()

    def ask(self, question: list[Any]) -> dict[str, Any]:
        """Give the answer: a value, an error, or why the molecule was refused."""
        which = (question[0], question[1])
        with self.lock:
            if which in self.refused:
                return {"refused": self.refused[which]}
            try:
                answer = self._answer(question)
            except BaseException:  # an interrupt: what is under way must not be taken for the answer to the next one
                self.end()
                raise
            if "refused" in answer:
                self.refused[which] = answer["refused"]
                if len(self.refused) > _REMEMBERED:
                    self.refused.popitem(last=False)
        return answer

    def _answer(self, question: list[Any]) -> dict[str, Any]:
        is_new = self.worker is None
        worker = self.worker = self.worker or _Worker()
        began = time.monotonic()
        answer = worker.ask(question)
        if answer is not None:
            if answer.get("last"):
                self.end()
            return answer
        took, killed = time.monotonic() - began, -getattr(signal, "SIGKILL", 0)
        status = self.end()
        if status == -getattr(signal, "SIGPROF", 0) or took >= _PATIENCE:
            return {"refused": OUT_OF_TIME}
        if status != killed:
            return {"refused": CRASHED}
        # Ended from outside: by the system if memory was short, or in the meantime, and this molecule is not to blame.
        return {"refused": OUT_OF_MEMORY} if is_new else self._answer(question)

    def end(self) -> int:
        """End the process, if there is one."""
        worker, self.worker = self.worker, None
        return 0 if worker is None else worker.end()

    def forget(self) -> None:
        """After a fork: the process belongs to the parent, and two must not talk to it."""
        if self.worker is not None:
            self.worker.process.returncode = 0  # so that it is neither waited for nor warned about here
        self.worker, self.lock = None, threading.Lock()


_client: Final = _Client()
atexit.register(_client.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_client.forget)


def call(function: Callable[..., Any], text: str, *options: Any) -> Any:
    """Call a function in the worker process; see `exlm_chem.smiles.bounds.bounded`."""
    answer = _client.ask([f"{function.__module__}:{function.__qualname__}", text, *options])
    if "value" in answer:
        return answer["value"]
    raise MoleculeError(answer.get("refused") or answer["error"])


def serve() -> None:
    """Answer questions until there are no more: what the worker process does."""
    answers, questions = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    sys.stdout = sys.stderr  # nothing but answers goes into the pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the pipe
    _limit_memory()
    answers.write(b"{}\n")
    answers.flush()
    for line in iter(questions.readline, b""):
        name, text, *options = json.loads(line)
        module, _, function = name.partition(":")
        called = getattr(importlib.import_module(module), function)  # which is not the molecule's time
        _limit_time(SECONDS)
        answer = _answered(called, text, options)
        _limit_time(0)
        answers.write(json.dumps(answer).encode("ascii") + b"\n")
        answers.flush()
        if answer.get("last"):
            return


def _answered(function: Callable[..., Any], text: str, options: list[Any]) -> dict[str, Any]:
    try:
        return {"value": function(text, *options)}
    except MoleculeError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"refused": OUT_OF_MEMORY, "last": True}
    except Exception as error:  # noqa: BLE001  (whatever it is, it must not end the run of the parent)
        return {"refused": f"RDKit fails on this molecule: {next(iter(str(error).splitlines()), type(error).__name__)}"}


def _limit_time(seconds: int) -> None:
    """Let the system end this process when it has worked so long, also in the middle of RDKit."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_memory() -> None:
    if sys.platform == "win32":
        return
    import resource

    import psutil

    limit = psutil.Process().memory_info().vms + GIGABYTES * 2**30
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
