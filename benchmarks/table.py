"""Writes the numbers of ``benchmarks/results`` into the README, between its markers.

python benchmarks/table.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def main() -> None:
    """Replace what stands between the markers of the README."""
    readme = ROOT / "README.md"
    readme.write_text(with_numbers(readme.read_text(encoding="utf-8")), encoding="utf-8")


def with_numbers(text: str) -> str:
    """Give the README with the present numbers."""
    numbers = f"{_claims()}\n\n{_moleculenet(_read('moleculenet'))}"
    for name, content in {"numbers": numbers, "example": _example(_read("example"))}.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{content}\n{end}{rest.partition(end)[2]}"
    return text


def _example(content: dict[str, Any]) -> str:
    """Show some rows of the predicted examples, all that have an error among them."""
    chosen = ["caffeine", "diazepam", "atenolol", "metformin", "dopamine"]
    rows = [row for row in content["rows"] if row["name"] in chosen or row["error"]]
    lines = []
    for row in rows:
        smiles = f"`{row['smiles']}`" if row["smiles"] else ""
        values = " | ".join(row[task] for task in content["tasks"])
        lines.append(f"| {row['name']} | {smiles} | {values} | {row['error']} |")
    head = f"| name | smiles | {' | '.join(content['tasks'])} | error |"
    return "\n".join([head, f"|---|---|{'---:|' * len(content['tasks'])}---|", *lines])


def _claims() -> str:
    parity, tokenizer, robustness = _read("parity"), _read("tokenizer")["sets"], _read("robustness")
    memory, startup = _read("memory"), _read("startup")
    single, double = parity["largest absolute deviation from the authors' code"].values()
    strings = sum(result["strings"] for result in tokenizer.values())
    bad = sum(result["unknown_tokens"] + result["changed"] + result["refused"] for result in tokenizer.values())
    fastest = max(tokenizer.values(), key=lambda result: result["strings"])
    private = list(memory["private_memory_mib"].values())
    median = startup["median_seconds"]
    speed, ratio = fastest["molecules_per_second"], fastest["compared"]["times_faster_than"]["rust"]
    trained, refused = memory["molecules_per_second"], robustness["refused_by_rdkit_with_reason"]
    measured = {
        f"equal to the authors' code on {parity['fixtures']} reference cases (`parity`)": [
            f"largest deviation of the loss {single['loss']:.0e} in float32, {double['loss']:.0e} in float64"
        ],
        "every SMILES string comes back from its tokens (`tokenizer`)": [
            f"{strings:,} strings, {bad} refused, changed or with unknown tokens",
            f"{speed:,} molecules/s on one core, {ratio} x the Rust tokenizer of the same vocabulary",
        ],
        "a reason in exactly the rows that RDKit refuses (`robustness`)": [
            f"{robustness['molecules']:,} mutated SMILES, {refused:,} refused",
            f"{robustness['disagreements']} disagreements",
        ],
        "memory of pretraining `small` on the 1.6 M molecules of MOSES (`memory`)": [
            f"{private[0]:,} MiB after two of ten minutes, {private[-1]:,} MiB at the end (it still creeps)",
            f"{trained:,.0f} molecules/s",
        ],
        "start-up (`startup`)": [
            f"`import exlm_chem` {median['import exlm_chem']:.2f} s, `--help` {median['exlm-chem --help']:.2f} s",
            f"bare Python {median['python']:.2f} s",
        ],
    }
    lines = [f"| {claim} | {'; '.join(results)} |" for claim, results in measured.items()]
    return "\n".join(["| claim (script in `benchmarks/`) | measured |", "|---|---|", *lines])


def _moleculenet(content: dict[str, Any]) -> str:
    lines = [
        f"Scaffold split, test part, the same linear head on both (`benchmarks/moleculenet.py`; {content['split']}):",
        "",
        "| task | metric | molecules in test | ExLM embedding (95 % interval) | ECFP4 counts (95 % interval) |",
        "|---|---|---|---|---|",
    ]
    for task, result in content["results"].items():
        cells = [_score(result[kind]["test"]) for kind in ("exlm", "ecfp4 count")]
        metric = "ROC-AUC, higher is better" if result["metric"] == "roc_auc" else "RMSE, lower is better"
        lines.append(f"| {task} | {metric} | {result['molecules']['test']:,} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _score(score: dict[str, Any]) -> str:
    low, high = score["interval"]
    return f"{score['value']:.3f} ({low:.3f} to {high:.3f})"


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    main()
