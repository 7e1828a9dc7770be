"""The one writer of results: what was measured, on which machine, with which versions, when, by which command.

Every script of this folder is run from the root of a checkout as ``python -m benchmarks.NAME`` and writes
``benchmarks/results/NAME.json``; ``python -m benchmarks.table`` puts the numbers into the pages.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exlm_chem.machine import devices, versions
from exlm_chem.storage import write_json

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
ORIGIN = ("machine", "versions", "commit", "date", "command")
"""What every result names besides its numbers."""


def arguments(name: str, description: str | None) -> argparse.ArgumentParser:
    """Make the parser of a script, with ``--output`` in its place."""
    parser = argparse.ArgumentParser(
        f"python -m benchmarks.{name}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / f"{name}.json")
    return parser


def write_result(output: Path, content: dict[str, Any]) -> None:
    """Write what was measured and where it comes from; show it too."""
    write_json(output, content | origin(output.stem))
    print(json.dumps(content, indent=2))


def read_result(name: str) -> dict[str, Any]:
    """Read what a script measured."""
    content: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def origin(name: str) -> dict[str, Any]:
    """Describe this machine and this run; files and folders of the command by their names only."""
    machine = devices()
    machine["threads"] = machine.pop("torch_threads")
    given = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    return {
        "machine": machine,
        "versions": versions(),
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": ["python", "-m", f"benchmarks.{name}", *given],
    }


def commit() -> str | None:
    """Name the commit that was measured, "+" behind it if the package has changes; None outside of git."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return f"{head}+" if _git("status", "--porcelain", "--", "exlm_chem", "cli", "data") else head
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return done.stdout.strip()
