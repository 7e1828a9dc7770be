"""Writes the numbers of ``benchmarks/results`` into the README and the pages, between their markers.

python -m benchmarks.table           writes them
python -m benchmarks.table --check   fails if a page has other numbers
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks import paper_tables, predictor_tables, pretraining_tables, vector_tables
from benchmarks.fill_table import enumeration_table, fill_table
from benchmarks.shipped_table import tasks
from benchmarks.writer import RESULTS, ROOT, read_result
from exlm_chem.storage import read_json

PAGES = (
    "README.md",
    "exlm_chem/zoo/exlm-small/README.md",
    *(f"docs/{name}.md" for name in "embedding fill pretraining benchmarks paper scale".split()),
)
CONFIGURATIONS = {
    "reference": "6 x 256, 40 random tokens",
    "small": "small, real molecules",
    "base": "base, real molecules",
}
GPU_GFLOPS, GPU_SHARE = 312_000.0, 0.25


def main() -> None:
    """Replace what stands between the markers, or say where it would change."""
    parser = argparse.ArgumentParser("python -m benchmarks.table")
    parser.add_argument("--check", action="store_true", help="change nothing, fail if a page has other numbers")
    check = parser.parse_args().check
    old = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
    new = {name: with_numbers(text) for name, text in old.items()}
    changed = [name for name in PAGES if new[name] != old[name]]
    if check and changed:
        sys.exit(f"other numbers than in benchmarks/results: {', '.join(changed)}; run python -m benchmarks.table")
    for name in changed:
        (ROOT / name).write_text(new[name], encoding="utf-8")


def with_numbers(text: str) -> str:
    """Give a page with the present numbers."""
    made: dict[str, Callable[[], str]] = {
        "numbers": _claims,
        "tasks": tasks,
        "example": lambda: _example(read_result("example")),
        "step": lambda: _step(read_result("step")),
        "cost": lambda: _cost(read_result("step")),
        "points": lambda: _points(read_result("checkpoints")),
        "long": lambda: _long(read_result("long_sequences")),
        "heads": lambda: _heads(read_result("heads")),
        "encoders": lambda: _encoders(read_result("encoders")),
    }
    tables = predictor_tables.TABLES | paper_tables.TABLES | pretraining_tables.TABLES | vector_tables.TABLES
    tables |= {"fill": fill_table, "enumeration": enumeration_table}
    measured = {name: table for name, table in tables.items() if (RESULTS / f"{name}.json").is_file()}
    made |= {name: partial(table, read_result(name)) for name, table in measured.items()}
    made["ablation"] = lambda: paper_tables.ablation(read_json(ROOT / "docs" / "ablation.json"))
    for name, content in made.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = text.partition(begin)
        if found:
            text = f"{before}{begin}{content()}\n{end}{rest.partition(end)[2]}"
    return text


def _step(content: dict[str, Any]) -> str:
    """Put the steps of all models side by side."""
    lines = ["| step (forward, loss, backward) | " + " | ".join(CONFIGURATIONS.values()) + " |", "|---|---|---|---|"]
    rows = {
        "exlm / mlm, per token, fp32": "exlm / (token ratio x mlm) fp32",
        "exlm / mlm, per token, bf16": "exlm / (token ratio x mlm) bf16",
        "mlm / RoBERTa, both fp32": "mlm / roberta fp32",
        "mlm / RoBERTa, both bf16": "mlm / roberta bf16",
        "mlm bf16 / RoBERTa fp32": "mlm bf16 / roberta fp32",
    }
    for title, key in rows.items():
        cells = [f"{content[name]['ratios'][key]:.2f}" for name in CONFIGURATIONS]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    for title, function in (
        ("share of the GEMM peak", _gemm_share),
        ("transitions and alignment, of the step", _graph_share),
    ):
        cells = [
            "-" if name == "reference" else f"{function(content[name], 'fp32')}, {function(content[name], 'bf16')}"
            for name in CONFIGURATIONS
        ]
        lines.append(f"| exlm: {title}, fp32 and bf16 | {' | '.join(cells)} |")
    return "\n".join(lines)


def _gemm_share(result: dict[str, Any], precision: str) -> str:
    return f"{result['gemm_share'][precision]:.0%}"


def _graph_share(result: dict[str, Any], precision: str) -> str:
    shares = result["split"][precision]["shares"]
    return f"{shares['transitions'] + shares['alignment']:.1%}"


def _cost(content: dict[str, Any]) -> str:
    """Compute how long a pass over so many molecules takes."""
    gflop = read_result("molecule_cost")["gflop_per_molecule"]
    here = {name: content[name]["molecules_per_second"]["exlm bf16"] for name in ("small", "base")}
    columns = (
        "preset",
        "GFLOP per molecule",
        "molecules/s on 2 CPU cores (measured)",
        "10^6 on these",
        "10^8 on 1 GPU",
        "10^10 on 64 GPUs",
    )
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for preset in ("small", "base", "paper"):
        speed = here.get(preset)
        on_gpu = GPU_GFLOPS * GPU_SHARE / gflop[preset]
        cells = [
            f"{gflop[preset]:.1f}",
            f"{speed:.0f}" if speed else "-",
            _hours(1e6 / speed / 3600) if speed else "-",
            _hours(1e8 / on_gpu / 3600),
            _hours(1e10 / on_gpu / 64 / 3600),
        ]
        lines.append(f"| {preset} | {' | '.join(cells)} |")
    targets = read_result("molecule_objectives")["target_molecules_per_second"]
    shares = {name: content[name]["gemm_share"]["bf16"] for name in here}
    note = f"""
One pass, exlm with 4 states, 15 % masks, bf16. The GPU columns are computed, not measured, as no GPU was at hand:
{GPU_GFLOPS:,.0f} GFLOP/s (the data sheet's bf16 peak of an A100) x {GPU_SHARE:.0%}. On the CPU the share is \
{shares["small"]:.0%} (small) and {shares["base"]:.0%} (base).
Targets: {targets["descriptors"]:,} molecules/s (descriptors) and {targets["ecfp"]:,} (ecfp) on two cores, in proportion
to the cores."""
    return "\n".join([*lines, note])


def _hours(hours: float) -> str:
    for unit, size in (("years", 8766), ("days", 24), ("hours", 1)):
        if hours >= 2 * size:
            return f"{hours / size:.0f} {unit}"
    return f"{60 * hours:.0f} minutes"


def _points(content: dict[str, Any]) -> str:
    """List what the runs had learnt, and what their frozen embeddings were worth, after so much time."""
    points = sorted(content["checkpoints"], key=lambda point: (point["seconds"] // 300, point["objective"]))
    tasks = [name for name, value in points[0].items() if isinstance(value, dict) and "metric" in value]
    head = ["minutes", "objective", "molecules", "masked tokens right", "descriptors", *tasks]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for point in points:
        last = point["last_measurement"]
        scores = [f"{point[task]['valid']['value']:.3f} / {point[task]['test']['value']:.3f}" for task in tasks]
        learnt = [f"{last[name]:.3f}" for name in ("validation_accuracy", "validation_descriptors")]
        cells = [f"{point['seconds'] / 60:.0f}", point["objective"], f"{last['molecules']:,}", *learnt, *scores]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _heads(content: dict[str, Any]) -> str:
    """Set heads and features beside each other, on the test part of every table."""
    results = content["results"]
    names = [f"{name} ({task['metric'].replace('_', '-').upper()})" for name, task in results.items()]
    lines = [f"| head on features | {' | '.join(names)} |", "|---" * (len(results) + 1) + "|"]
    for head in next(iter(results.values()))["heads"]:
        cells = [f"{task['heads'][head]['value']:.3f}" for task in results.values()]
        lines.append(f"| {head} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _encoders(content: dict[str, Any]) -> str:
    """Set the encoders that ship beside each other, head by head."""
    results = content["results"]
    lines = [f"| encoder | head | {' | '.join(results)} |", "|---" * (len(results) + 2) + "|"]
    for encoder in content["sha256"]:
        heads = [name for name in next(iter(results.values()))[encoder] if name != "metric"]
        for head in heads:
            scores = (task[encoder][head] for task in results.values())
            cells = [f"{score['valid']:.3f} / {score['test']:.3f}" for score in scores]
            lines.append(f"| {encoder} | {head} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _long(content: dict[str, Any]) -> str:
    """List memory and time of long molecules, and the law."""
    law = content["law_mib"]
    lines = ["| tokens | positions L | states S | MiB above the model's | seconds |", "|---|---|---|---|---|"]
    for one in content["measured"]:
        cells = (one["tokens"], one["positions"], one["states"], f"{one['mib']:.0f}", f"{one['seconds']:.2f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    note = f"""
One molecule, `small`, bf16, two CPU cores. The law: {law["constant"]:.0f} MiB + {1024 * law["per_position"]:.0f} KiB
x L + {2**20 * law["per_state_squared"]:.1f} bytes x S^2, at most {content["largest_deviation_mib"]:.0f} MiB from \
what was measured."""
    return "\n".join([*lines, note])


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
    parity, tokenizer, robustness = read_result("parity"), read_result("tokenizer")["sets"], read_result("robustness")
    memory, resume = read_result("memory"), read_result("resume")
    guidance, fill = read_result("guidance")["results"], read_result("fill")
    proposed = fill["models"]["exlm-small"]["3 masks, best"]
    checked, few, many, again = list(read_result("corpus").values())[:4]
    guided, published, plain = (guidance[name] for name in ("exlm, guided", "exlm, as published", "mlm"))
    single, double = parity["largest absolute deviation from the authors' code"].values()
    strings = sum(result["strings"] for result in tokenizer.values())
    bad = sum(result["unknown_tokens"] + result["changed"] + result["refused"] for result in tokenizer.values())
    fastest = max(tokenizer.values(), key=lambda result: result["strings"])
    private = list(memory["private_memory_mib"].values())
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
        f"memory of pretraining `small` on {memory['molecules'] / 1e6:.1f} M molecules (`memory`)": [
            f"{private[0]:,} MiB at a fifth of the run, {private[-1]:,} MiB at the end",
            f"{trained:,.0f} molecules/s",
        ],
        "a run that is killed at a random moment ends as if it had not been (`resume`)": [
            f"{resume['kills']} SIGKILLs, {resume['bit_identical']} times bit for bit the same weights"
        ],
        f"a guided beginning, `tiny`, {guided['molecules']:,.0f} molecules (`guidance`)": [
            f"masked tokens right: exlm {guided['validation_accuracy']:.2f}",
            f"as published {published['validation_accuracy']:.2f}",
            f"plain masked language model, as many steps, {plain['validation_accuracy']:.2f}",
        ],
        "preparing a corpus (`corpus`)": [
            " and ".join(f"{some['lines'] / 1e6:.0f} M lines with {some['peak_mib']} MiB" for some in (few, many)),
            f"{many['lines_per_second']:,} lines/s on two cores, {checked['lines_per_second']:,} with RDKit's check",
            f"found again in {again} s",
        ],
        f"the best proposal for three random masks is a molecule, {fill['molecules']:,} molecules (`fill`)": [
            f"{proposed['best_valid']:.1%}".replace("%", " %"),
            f"what stood there {proposed['best_is_parent']:.1%}".replace("%", " %"),
            f"{proposed['seconds_per_molecule']:.3f} s for ten proposals",
        ],
    }
    measured |= _speeds()
    lines = [f"| {claim} | {'; '.join(results)} |" for claim, results in measured.items()]
    return "\n".join(["| claim (script in `benchmarks/`) | measured |", "|---|---|", *lines])


def _speeds() -> dict[str, list[str]]:
    median, one = read_result("startup")["median_seconds"], "exlm-chem predict --task bbbp CCO"
    run = read_result("throughput")
    return {
        "start-up (`startup`)": [
            f"`import exlm_chem` {median['import exlm_chem']:.2f} s, `--help` {median['exlm-chem --help']:.2f} s",
            f"bare Python {median['python']:.2f} s",
            f"one molecule predicted {median[one]:.1f} s, with torch {median[one + ' --backend torch']:.1f} s",
            f"importing torch alone {median['import torch']:.1f} s",
        ],
        **vector_tables.claims(),
        f"from SMILES to predictions, two cores (`throughput`; {run['molecules']:,} molecules)": [
            f"{way} {speed['molecules_per_second']:.0f}/s" for way, speed in run["results"].items()
        ],
    }


if __name__ == "__main__":
    main()
