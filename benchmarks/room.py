"""Claim: where several states can win: hidden neighbours and fragments depend on each other, single tokens hardly do.

Hides tokens of molecules in several ways and compares what a model says of each mask by itself, its own joint answer,
and the answer when the hidden tokens are filled in one after the other, each read for the next: the difference is what
a joint answer could win. Writes ``benchmarks/results/room.json``.

    python -m benchmarks.room --model exlm-small -n 96
"""

from __future__ import annotations

import gzip
from typing import Any

import torch

from benchmarks.writer import arguments, write_result
from exlm_chem.analysis.marginals import all_marginals, chained
from exlm_chem.analysis.masked import MaskedMolecules, MaskKind, mask_molecules
from exlm_chem.data import data_path
from exlm_chem.generation.infill import Infiller
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.modeling.inputs import prepare_inputs

KINDS: tuple[tuple[MaskKind, float], ...] = (
    ("token", 0.2), ("token", 0.5), ("pair", 0.0), ("span", 0.2), ("fragment", 0.2),
)  # fmt: skip


def main() -> None:
    """Measure every kind of masks and write the result."""
    parser = arguments("room", __doc__)
    parser.add_argument("--model", default="exlm-small")
    parser.add_argument("-n", "--number", type=int, default=96)
    args = parser.parse_args()
    infiller = Infiller.from_pretrained(args.model, "cpu")
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as file:
        smiles = [line.split()[0] for line, _ in zip(file, range(args.number), strict=False)]
    results = {}
    for kind, ratio in KINDS:
        masked = mask_molecules(smiles, infiller.tokenizer, kind, ratio, seed=0)
        results[f"{kind} {ratio:g}" if ratio else kind] = measure(infiller.model, masked)
    write_result(args.output, {"molecules": len(smiles), "nats_per_masked_token": results})


def measure(model: ExLMForMaskedLM, masked: MaskedMolecules) -> dict[str, Any]:
    """Give nats per masked token: of the masks each by itself, of the model's joint answer, and of the chain."""
    _, each = all_marginals(model, masked)
    _, chain = chained(model, masked, seed=0)
    ids, labels = torch.from_numpy(masked.input_ids), torch.from_numpy(masked.labels)
    with torch.inference_mode():
        joint = model(prepare_inputs(model.config, ids, labels)).log_likelihood.sum()
    scores = {"each": each.sum(), "joint": joint, "chain": chain.sum()}
    return {
        "masks_per_molecule": round(len(each) / len(masked), 2),
        **{name: round(-float(score) / len(each), 4) for name, score in scores.items()},
    }


if __name__ == "__main__":
    main()
