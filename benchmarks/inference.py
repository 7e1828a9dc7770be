"""Claim: how fast the encoder embeds in each precision and backend, how near the vectors are, and what they are worth.

Every way embeds the same molecules in turn, several rounds, one and all threads; the best round counts. Beside them is
a RoBERTa of the same shape from transformers with random weights, fed as one feeds it at first: tokens in the order of
the file, 64 molecules a batch. With TABLES the kernel head is fitted on the vectors of each way. Writes
``benchmarks/results/inference.json``.

    python -m benchmarks.inference --molecules 2000 --tables ../shared/moleculenet
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import EIGHT
from benchmarks.writer import arguments, write_result
from exlm_chem.data import data_path
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import read_task
from exlm_chem.evaluation.protocol import try_features
from exlm_chem.storage import json_text, read_json
from exlm_chem.terms import BackendName, EmbeddingPrecision

WAYS: Final[dict[str, tuple[BackendName, EmbeddingPrecision]]] = {
    "torch fp32": ("torch", "fp32"),
    "torch bf16": ("torch", "bf16"),
    "onnx fp32": ("onnx", "fp32"),
    "onnx int8": ("onnx", "int8"),
}
ROBERTA: Final = {"Hugging Face fp32, naive batches": "float32", "Hugging Face bf16, naive batches": "bfloat16"}


def main() -> None:
    """Time all ways with one and with all threads, in processes of their own, and write the result."""
    parser = arguments("inference", __doc__)
    parser.add_argument("--molecules", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tables", type=Path, help="folder with NAME.csv.gz for every task of data/tasks.toml")
    parser.add_argument("--tasks", nargs="+", default=EIGHT)
    parser.add_argument("--threads", type=int, help="time with so many threads in this process (used by the script)")
    args = parser.parse_args()
    if args.threads:
        args.output.write_text(json_text(timed(args.molecules, args.rounds)), encoding="utf-8")
        return
    content: dict[str, Any] = {"molecules": args.molecules, "near": near(args.molecules), "threads": {}}
    for threads in sorted({1, os.cpu_count() or 1}):
        part = args.output.with_suffix(f".{threads}.part")
        command = [sys.executable, "-m", "benchmarks.inference", "--threads", str(threads), "-o", str(part)]
        command += ["--molecules", str(args.molecules), "--rounds", str(args.rounds)]
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": str(threads)})
        content["threads"][str(threads)] = read_json(part)
        part.unlink()
        write_result(args.output, content)
    if args.tables:
        content["worth"] = {task: worth(args.tables, task) for task in args.tasks}
        write_result(args.output, content)


def molecules_of(number: int) -> list[str]:
    """Give the first molecules of the sample that ships."""
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as lines:
        return [line.split()[0] for line in lines][:number]


def encoders() -> dict[str, ExLM]:
    """Load the encoder in every way."""
    return {name: ExLM.from_pretrained("exlm-small", "cpu", *way) for name, way in WAYS.items()}


def timed(number: int, rounds: int) -> dict[str, Any]:
    """Give molecules a second of every way, and how many times as fast it is as Hugging Face's."""
    molecules = molecules_of(number)
    work: dict[str, Callable[[], Any]] = {name: partial(one.embed, molecules) for name, one in encoders().items()}
    work |= {name: naive(molecules, dtype) for name, dtype in ROBERTA.items()}
    best = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, run in work.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    slowest = best["Hugging Face fp32, naive batches"]
    return {
        name: {"molecules_per_second": round(number / one, 1), "times_hugging_face_fp32": round(slowest / one, 2)}
        for name, one in best.items()
    }


def naive(molecules: Sequence[str], dtype: str) -> Callable[[], Any]:
    """Give what embeds by a RoBERTa of the encoder's shape, tokenizing included."""
    import torch
    from transformers import RobertaConfig, RobertaModel

    encoder = ExLM.from_pretrained("exlm-small", "cpu")
    ours = encoder.backend.config
    shape = RobertaConfig(
        vocab_size=ours.vocab_size,
        hidden_size=ours.hidden_size,
        num_hidden_layers=ours.num_hidden_layers,
        num_attention_heads=ours.num_attention_heads,
        intermediate_size=ours.intermediate_size,
        max_position_embeddings=ours.max_positions,
        pad_token_id=ours.pad_token_id,
    )
    model = RobertaModel(shape, add_pooling_layer=False).to(getattr(torch, dtype))
    model.train(False)

    def run() -> None:
        with torch.inference_mode():
            for start in range(0, len(molecules), 64):
                ids = [encoder.read(one).token_ids for one in molecules[start : start + 64]]
                rows = torch.from_numpy(encoder.tokenizer.pad(ids))
                mask = rows != ours.pad_token_id
                hidden = model(rows, attention_mask=mask).last_hidden_state
                _ = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)

    return run


def near(number: int) -> dict[str, Any]:
    """Give the cosine of every way's vectors to those of single precision."""
    molecules, ways = molecules_of(number), encoders()
    exact = ways["torch fp32"].embed(molecules)
    found = {}
    for name, encoder in ways.items():
        cosine = cosines(encoder.embed(molecules), exact)
        found[name] = {"least_cosine": float(cosine.min()), "mean_cosine": float(cosine.mean())}
    return found


def cosines(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compare rows."""
    ours, theirs = ours.astype(float), theirs.astype(float)
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    cosine: NDArray[np.float64] = (ours * theirs).sum(1) / lengths
    return cosine


def worth(tables: Path, name: str) -> dict[str, Any]:
    """Give the main metric of the kernel head on the test part, for the vectors of every way."""
    scores: dict[str, Any] = {}
    for way, encoder in encoders().items():
        table = read_task(tables, name, encoder.read)
        trial = try_features("exlm", {"exlm": encoder.embed(table.smiles)}, table, ["kernel"], [0], "valid")
        scores |= {"metric": table.metric, way: trial.test}
    return scores


if __name__ == "__main__":
    main()
