"""Claim: a corpus is prepared in memory that does not grow with it, and is found again at once.

Prepares the given files once, and the same files many times over as if they were so many more, and watches the memory
of all processes together. Writes ``benchmarks/results/corpus.json``.

    python benchmarks/corpus.py ../shared/corpus/corpus-*.smi.gz --copies 10
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from exlm_chem.machine import devices, versions
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.corpus_builder import build_corpus
from exlm_chem.tokenizer import ExLMTokenizer

ROOT = Path(__file__).parent.parent
EVERY = 0.5


def main() -> None:
    """Prepare corpora of several sizes and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "benchmarks/results/corpus.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        content = {
            "one file, checked by RDKit": prepare(args.files[:1], folder, check=True),
            "all files": prepare(args.files, folder, check=False),
            f"all files, {args.copies} times": prepare(args.files * args.copies, folder, check=False),
            "seconds to find it again": prepare(args.files, folder, check=False)["seconds"],
            "device": devices(),
            "versions": versions(),
            "python": platform.python_version(),
        }
    args.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=2))


def prepare(files: list[str], cache: str, *, check: bool) -> dict[str, Any]:
    """Prepare a corpus and measure time and memory."""
    done, peaks = threading.Event(), [private_memory()]

    def watch() -> None:
        while not done.wait(EVERY):
            peaks.append(private_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    try:
        corpus = Corpus(build_corpus(files, ExLMTokenizer(), check=check, cache=cache))
    finally:
        done.set()
        watcher.join()
    seconds = time.perf_counter() - started
    lines = corpus.summary.molecules + corpus.summary.rejected
    return {
        "lines": lines,
        "rejected": corpus.summary.rejected,
        "seconds": round(seconds, 2),
        "lines_per_second": round(lines / seconds),
        "peak_mib": round(max(peaks)),
    }


def private_memory() -> float:
    """Memory of this process and its workers that they share with no other, in MiB."""
    this = psutil.Process()
    total = 0.0
    for process in [this, *this.children(recursive=True)]:
        try:
            total += process.memory_full_info().uss / 2**20
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    main()
