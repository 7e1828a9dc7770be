"""Claim: every SMILES string comes back unchanged from ids, without unknown tokens, faster than from a Rust tokenizer.

Encodes and decodes every string of the files given, and strings made from the OpenSMILES grammar, and counts those that
do not come back. The speed is that of ``encode`` on one core, in processor time, so that other programs matter less.
Beside it, in the same run and on the same strings, is that of the same tokenizer exported for Hugging Face (its Rust
library on one thread, and ``transformers`` around it), whose ids have to be equal. Writes
``benchmarks/results/tokenizer.json``.

    python -m benchmarks.tokenizer --moleculenet DIR --moses train.csv.gz --corpus DIR --opensmiles FILE --hypothesis N
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

os.environ["RAYON_NUM_THREADS"] = "1"  # read by the Rust library when it is loaded: one core for everybody

from benchmarks.writer import ROOT, arguments, write_result
from exlm_chem.smiles.grammar import SmilesSyntaxError
from exlm_chem.tables.reader import iter_smiles
from exlm_chem.tokenizer import ExLMTokenizer

COMPARED = 20_000  # strings of a set that the Hugging Face tokenizer takes too; it is slow
SUFFIXES = (".csv.gz", ".csv", ".smi.gz", ".smi")


def main() -> None:
    """Measure the sets of the command line and write the result."""
    parser = arguments("tokenizer", __doc__)
    parser.add_argument("--moleculenet", type=Path, help="folder of tables")
    parser.add_argument("--moses", type=Path, help="table")
    parser.add_argument("--corpus", type=Path, help="folder of SMILES files")
    parser.add_argument("--opensmiles", type=Path, default=ROOT / "tests/data/opensmiles.smi", help="SMILES file")
    parser.add_argument("--hypothesis", type=int, default=1000, help="number of strings made from the grammar")
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
        "cores_used": 1,
        "tokenizers": version("tokenizers"),
        "scheme": tokenizer.scheme,
        "vocabulary": tokenizer.vocab_size,
        "fingerprint": tokenizer.fingerprint,
        "sets": results,
    }
    write_result(args.output, report)


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
    command = [sys.executable, "-m", "tests.smiles_strategy", str(count)]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    made: list[str] = json.loads(printed)
    return made


if __name__ == "__main__":
    main()
