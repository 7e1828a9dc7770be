"""Claim: the mean of the weights of two stages of the encoder is worth more than the last one for small molecules only.

A stage begins with the weights of the one before, so that both ends lie in one valley, and what lies between them is
often better than either on what is unlike the training (Wortsman et al. 2022, arXiv:2109.01903 and arXiv:2203.05482).
Judged as in `benchmarks.poolings`: no test part is looked at. Writes ``benchmarks/results/averages.json``.

Here the stages are the encoder that shipped in 0.1.0 and the one that ships:

    git archive e17a87f exlm_chem/zoo/exlm-small | tar -x --strip-components=2 -C runs/first
    OMP_NUM_THREADS=1 python -m benchmarks.averages ../shared/moleculenet --first runs/first/exlm-small
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.additions import judged
from benchmarks.tables import EIGHT, table_arguments
from benchmarks.writer import write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import read_task
from exlm_chem.modeling import ExLMForMaskedLM

SHARES = (0.0, 0.3, 0.6, 1.0)


def main() -> None:
    """Judge every share of the last stage, and write the result after each."""
    parser = table_arguments("averages", __doc__, EIGHT)
    parser.add_argument("--first", type=Path, required=True, help="directory of the earlier stage")
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of the later stage, from 0 to 1")
    args = parser.parse_args()
    last = ExLM.from_pretrained(args.model)
    tables = [read_task(args.tables, name, last.read) for name in args.tasks]
    results: dict[str, Any] = {}
    for share in args.shares:
        encoder = ExLM(averaged(args.first, args.model, share).model, last.tokenizer, "cpu")
        results[f"{share:g} of the later stage"] = judged(
            {table.name: encoder.embed(table.smiles) for table in tables}, tables
        )
        write_result(args.output, {"tasks": args.tasks, "results": results})


def averaged(first: Path, last: Path | str, share: float) -> ExLMForMaskedLM:
    """Mix the weights of two models; what only the later one has stays as it is."""
    model, earlier = ExLMForMaskedLM.from_pretrained(last), ExLMForMaskedLM.from_pretrained(first).state_dict()
    weights = model.state_dict()
    mixed = {name: share * weights[name] + (1 - share) * value for name, value in earlier.items()}
    model.load_state_dict(weights | mixed)
    return model


if __name__ == "__main__":
    main()
