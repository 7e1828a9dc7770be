"""Claim: every SMILES string comes back unchanged from ids, without unknown tokens, faster than from a Rust tokenizer.

Encodes and decodes every string of the files given, and strings made from the OpenSMILES grammar, and counts those that
do not come back. The speed is that of ``encode`` on one core, in processor time, so that other programs matter less.
Beside it, in the same run and on the same strings, is that of the same tokenizer exported for Hugging Face (its Rust
library on one thread, and ``transformers`` around it), whose ids have to be equal. Writes
``benchmarks/results/tokenizer.json``.

    python benchmarks/tokenizer.py --moleculenet DIR --moses train.csv.gz --corpus DIR --opensmiles FILE --hypothesis N
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # for tests.smiles_strategy
os.environ["RAYON_NUM_THREADS"] = "1"  # read by the Rust library when it is loaded: one core for everybody

from exlm_chem.smiles.grammar import SmilesSyntaxError  # noqa: E402
from exlm_chem.tables.reader import iter_smiles  # noqa: E402
from exlm_chem.tokenizer import ExLMTokenizer  # noqa: E402

COMPARED = 20_000  # strings of a set that the Hugging Face tokenizer takes too; it is slow
SUFFIXES = (".csv.gz", ".csv", ".smi.gz", ".smi")


def main() -> None:
    """Measure the sets of the command line and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moleculenet", type=Path, help="folder of tables")
    parser.add_argument("--moses", type=Path, help="table")
    parser.add_argument("--corpus", type=Path, help="folder of SMILES files")
    parser.add_argument("--opensmiles", type=Path, default=ROOT / "tests/data/opensmiles.smi", help="SMILES file")
    parser.add_argument("--hypothesis", type=int, default=1000, help="number of strings made from the grammar")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "benchmarks/results/tokenizer.json")
    args = parser.parse_args()

    sources: dict[str, Iterable[str]] = {}
    for name in ("moleculenet", "moses", "corpus"):
        if path := getattr(args, name):
            sources[name] = _strings(path)
    sources["opensmiles"] = _examples(args.opensmiles)
    sources["hypothesis"] = _from_grammar(args.hypothesis)

    tokenizer = ExLMTokenizer()
    results = {}
    for name, strings in sources.items():
        results[name] = measure(strings, tokenizer)
        print(name, json.dumps(results[name]), flush=True)
    report = {
        "machine": {
            "cpu": _cpu_model(),
            "cores_used": 1,
            "python": platform.python_version(),
            "tokenizers": version("tokenizers"),
            "transformers": version("transformers"),
        },
        "scheme": tokenizer.scheme,
        "vocabulary": tokenizer.vocab_size,
        "fingerprint": tokenizer.fingerprint,
        "sets": results,
    }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def measure(strings: Iterable[str], tokenizer: ExLMTokenizer) -> dict[str, Any]:
    """Take all strings there and back, and the first ones also through Hugging Face."""
    counts = dict.fromkeys(("strings", "refused", "changed", "unknown_tokens", "tokens", "longest"), 0)
    seconds = 0.0
    iterator = iter(strings)
    chunk = first = list(islice(iterator, COMPARED))
    while chunk:
        start = time.process_time()
        encoded = _encode_all(tokenizer, chunk)
        seconds += time.process_time() - start
        for smiles, ids in zip(chunk, encoded, strict=True):
            counts["strings"] += 1
            if ids is None:
                counts["refused"] += 1
                continue
            counts["changed"] += tokenizer.decode(ids) != smiles
            counts["unknown_tokens"] += ids.count(tokenizer.unk_id)
            counts["tokens"] += len(ids) - 2
            counts["longest"] = max(counts["longest"], len(ids) - 2)
        chunk = list(islice(iterator, COMPARED))
    return {**counts, "molecules_per_second": round(counts["strings"] / seconds), "compared": compare(first, tokenizer)}


def _encode_all(tokenizer: ExLMTokenizer, strings: Iterable[str]) -> list[list[int] | None]:
    encoded: list[list[int] | None] = []
    for smiles in strings:
        try:
            encoded.append(tokenizer.encode(smiles))
        except SmilesSyntaxError:
            encoded.append(None)
    return encoded


def compare(strings: list[str], tokenizer: ExLMTokenizer) -> dict[str, Any]:
    """Time our tokenizer against its own export, the best of three rounds each, and compare the ids."""
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    with tempfile.TemporaryDirectory() as directory:
        tokenizer.save_pretrained(directory)
        rust = Tokenizer.from_file(str(Path(directory) / "tokenizer.json"))
        transformers = AutoTokenizer.from_pretrained(directory)
    rounds: dict[str, Callable[[], list[list[int]]]] = {
        "ours": lambda: [tokenizer.encode(smiles) for smiles in strings],
        "rust": lambda: [encoding.ids for encoding in rust.encode_batch(strings)],
        "transformers": lambda: transformers(strings)["input_ids"],
    }
    results, speeds = {}, {}
    for name, encode in rounds.items():
        times = []
        for _ in range(3):
            start = time.process_time()
            results[name] = encode()
            times.append(time.process_time() - start)
        speeds[name] = len(strings) / min(times)
    return {
        "strings": len(strings),
        "different_ids": {
            name: sum(a != b for a, b in zip(results["ours"], results[name], strict=True))
            for name in ("rust", "transformers")
        },
        "molecules_per_second": {name: round(speed) for name, speed in speeds.items()},
        "times_faster_than": {name: round(speeds["ours"] / speeds[name], 1) for name in ("rust", "transformers")},
    }


def _strings(path: Path) -> Iterator[str]:
    files = sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES)) if path.is_dir() else [path]
    return (row.smiles for row in iter_smiles(files) if row.error is None)


def _examples(path: Path) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return (line.split(" ")[0] for line in lines if line and not line.startswith("#"))


def _from_grammar(count: int) -> list[str]:
    from hypothesis import HealthCheck, given, settings

    from tests.smiles_strategy import smiles

    made: list[str] = []

    @settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(smiles)
    def collect(text: str) -> None:
        made.append(text)

    collect()
    return made


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == "__main__":
    main()
