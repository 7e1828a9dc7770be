"""Claim: the mean over the tokens of the last layer is the vector to take from the encoder.

Frozen vectors of other poolings, of other layers, and of two layers side by side are judged by a kernel head on tables,
on repeated random splits *inside the training part* of DeepChem's scaffold split and on its validation part; the test
part is not looked at. Writes ``benchmarks/results/poolings.json``.

    OMP_NUM_THREADS=1 python -m benchmarks.poolings ../shared/moleculenet
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.additions import TASKS, judged
from benchmarks.tables import table_arguments
from benchmarks.writer import write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import Measured, read_task
from exlm_chem.terms import Pooling

Vectors = dict[str, NDArray[np.float32]]
"""Of the molecules of every table, by its name."""
POOLINGS: Final[tuple[Pooling, ...]] = ("first", "mean+max", "states")


def main() -> None:
    """Judge every way to make a vector, and write the result after each."""
    args = table_arguments("poolings", __doc__, TASKS).parse_args()
    encoder = ExLM.from_pretrained(args.model, device="cpu", backend="torch")
    tables = [read_task(args.tables, name, encoder.read) for name in args.tasks]
    results: dict[str, Any] = {}
    for name, vectors in ways(encoder, tables):
        results[name] = judged(vectors, tables)
        print(name, results[name], flush=True)
        write_result(args.output, {"encoder_sha256": encoder.fingerprint, "tasks": args.tasks, "results": results})


def ways(encoder: ExLM, tables: list[Measured]) -> Iterator[tuple[str, Vectors]]:
    """Give the ways to make a vector of a molecule, by what they are called in the table, and the vectors."""
    last = encoder.backend.config.num_hidden_layers
    layers = {last: {table.name: encoder.embed(table.smiles) for table in tables}}
    yield f"mean of layer {last}, the last one", layers[last]
    for pooling in POOLINGS:
        yield f"{pooling} of layer {last}", {table.name: encoder.embed(table.smiles, pooling) for table in tables}
    for layer in range(last - 1, -1, -1):
        layers[layer] = {table.name: encoder.embed(table.smiles, layer=layer) for table in tables}
        yield f"mean of layer {layer}", layers[layer]
    for layer in (last - 1, last // 2, 0):
        both = {name: np.concatenate([vectors, layers[layer][name]], axis=1) for name, vectors in layers[last].items()}
        yield f"means of layers {last} and {layer}", both


if __name__ == "__main__":
    main()
