"""What a command takes: the most memory that was seen, and its seconds.

Linux counts what the parent had taken at the start of a process as that process's own peak, so it is looked at from
outside, four times a second.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from typing import Any, Final

import psutil

EVERY: Final = 0.25


def watched(*arguments: str, **environment: str) -> dict[str, Any]:
    """Run ``exlm-chem`` with some arguments, as a user does; the whole benchmark ends if it fails."""
    command = [sys.executable, "-m", "exlm_chem.cli.main", *arguments]
    start, before, own, together = time.perf_counter(), _cpu_seconds(), 0, 0
    process = subprocess.Popen(command, env={**os.environ, **environment})
    seen = psutil.Process(process.pid)
    while process.poll() is None:
        used = [_resident(one) for one in (seen, *seen.children(recursive=True))]
        own, together = max(own, used[0]), max(together, sum(used))
        time.sleep(EVERY)
    if process.returncode:
        sys.exit(f"{arguments[0]} failed with status {process.returncode}")
    seconds, cpu_seconds = time.perf_counter() - start, round(_cpu_seconds() - before, 1)
    found = {"peak_mib": own >> 20, "peak_mib_with_workers": together >> 20}
    return {**found, "seconds": seconds, "cpu_seconds": cpu_seconds}


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:  # it has ended meanwhile
        return 0


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
