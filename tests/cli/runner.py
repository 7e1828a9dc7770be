"""How tests start the command line: in a process of its own, as a user does, or in this one, which saves seconds."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXLM_CHEM = Path(sys.executable).with_name("exlm-chem")


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    status: int
    out: str
    err: str


def run(
    *args: object,
    stdin: str | bytes = b"",
    env: dict[str, str | None] | None = None,
    cwd: Path | None = None,
    redirect: str = "",
    timeout: float = 300,
) -> Result:
    """Run ``exlm-chem`` in a process of its own.

    Parameters
    ----------
    args : object
        The arguments; paths and numbers are turned into text.
    stdin : str or bytes
        What it reads.
    env : dict, optional
        Variables that differ from those of the tests; None takes one away.
    cwd : Path, optional
        The working directory.
    redirect : str
        Redirections of the shell behind the command, such as ``>&-`` or ``> /dev/full``; also commands before it when
        it begins with ``;`` such as ``;ulimit -f 1``.
    timeout : float
        Seconds after which the test fails.
    """
    before, behind = (redirect[1:] + "; ", "") if redirect.startswith(";") else ("", redirect)
    command = ["bash", "-c", f'{before}exec "$@" {behind}', "bash", EXLM_CHEM, *map(str, args)]
    done = subprocess.run(
        command if redirect else command[4:],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        env=environment(env),
        cwd=cwd,
        capture_output=True,
        check=False,
        timeout=timeout,
    )
    return Result(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def environment(changes: dict[str, str | None] | None = None) -> dict[str, str]:
    """Give the environment of a command: that of the tests with some changes."""
    return {name: value for name, value in {**os.environ, **(changes or {})}.items() if value is not None}


def run_here(monkeypatch: Any, capsys: Any, *args: object) -> Result:
    """Run the command in this process; give what ``run`` gives."""
    from exlm_chem.cli.main import main

    monkeypatch.setattr(sys, "argv", ["exlm-chem", *map(str, args)])
    try:
        main()
        status: Any = 0
    except SystemExit as ending:
        status = ending.code or 0
    printed = capsys.readouterr()
    return Result(status, printed.out, printed.err)
