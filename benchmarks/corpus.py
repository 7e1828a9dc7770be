"""Claim: a corpus is prepared in memory that does not grow with it, and is found again at once.

Prepares the given files once, and the same files many times over as if they were so many more, and watches the memory
of all processes together. Writes ``benchmarks/results/corpus.json``.

    python -m benchmarks.corpus ../shared/corpus/corpus-*.smi.gz --copies 10
"""

from __future__ import annotations

import tempfile
import threading
import time
from typing import Any

import psutil

from benchmarks.writer import arguments, write_result
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.corpus_builder import build_corpus
from exlm_chem.tokenizer import ExLMTokenizer

EVERY = 0.5


def main() -> None:
    """Prepare corpora of several sizes and write the result."""
    parser = arguments("corpus", __doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--copies", type=int, default=10)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        content = {
            "one file, checked by RDKit": prepare(args.files[:1], folder, check=True),
            "all files": prepare(args.files, folder, check=False),
            f"all files, {args.copies} times": prepare(args.files * args.copies, folder, check=False),
            "seconds to find it again": prepare(args.files, folder, check=False)["seconds"],
        }
    write_result(args.output, content)


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
