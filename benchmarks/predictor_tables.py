"""The tables of `docs/benchmarks.md`, each made from the result of its script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from scipy.stats import rankdata

from benchmarks.main_table import ALL, AVERAGE, FULL, MIDDLE
from benchmarks.tables import EIGHT
from exlm_chem.finetuning.card import METRIC_NAMES
from exlm_chem.finetuning.metrics import MAIN_METRIC, METRICS
from exlm_chem.predictors.registry import registered_task


def peers(content: dict[str, Any]) -> str:
    """Set what was measured beside the earlier figures."""
    results = content["results"]
    kinds = list(dict.fromkeys(kind for cells in results.values() for kind in cells))
    rows, apart = [], []
    for name, cells in results.items():
        row = [f"{name} ({METRIC_NAMES[next(iter(cells.values()))['metric']]})"]
        for kind in kinds:
            cell = cells.get(kind)
            row.append("-" if cell is None else _beside(cell))
            if cell is not None and "difference" in cell:
                apart.append(abs(cell["difference"]))
        rows.append(row)
    within = sum(round(one, 3) <= 0.01 for one in apart)
    text = (
        f"{within} of {len(apart)} figures are within 0.01 of the earlier ones, the furthest is {max(apart):.3f} away."
    )
    return f"{_table(['table', *kinds], rows)}\n\n{text}"


def _beside(cell: dict[str, Any]) -> str:
    earlier = f" ({cell['earlier']['test']:.3f})" if "earlier" in cell else ""
    other = f", {cell['with the earlier head']:.3f} with its head" if "with the earlier head" in cell else ""
    once = ", one seed" if cell.get("seeds") == 1 else ""
    return f"{cell['test']:.3f}{earlier} {cell['head']}{other}{once}"


PAPER: Final = {
    "bbbp": 0.728, "bace": 0.796, "clintox": 0.916, "sider": 0.645, "tox21": 0.782, "toxcast": 0.669, "muv": 0.788,
}  # fmt: skip
"""ExLM of the paper: 12 x 768, 19 M molecules, fine-tuned; a scaffold split of its own (arXiv 2501.13397)."""
WAYS: Final = {
    "exlm": "exlm",
    f"exlm{MIDDLE}": "exlm, mean+middle",
    "ecfp": "ECFP",
    "descriptors": "descriptors",
    "minimol": "MiniMol",
    ALL: "exlm + ECFP + descriptors",
    AVERAGE: "the same, average head",
    f"{AVERAGE}{MIDDLE}": "the same, mean+middle",
    FULL: "fine-tuned",
}
"""What stands above the columns of `main_table`."""
FIVE: Final = ("bbbp", "bace", "clintox", "sider", "tox21")


def main_table(content: dict[str, Any]) -> str:
    """Set what frozen, joined and fine-tuned vectors are worth beside the features of others; the best in bold."""
    results = content["results"]
    ways = [way for way in WAYS if any(way in cells for cells in results.values())]
    ranked = [way for way in ways if way != FULL]
    tables = {name: cells for name, cells in results.items() if all(way in cells for way in ranked)}
    rows = []
    for name, cells in results.items():
        metric, better = metric_of(name)
        values = {way: cells[way]["test"] for way in ways if way in cells}
        winner = max(values, key=lambda way: better * values[way]) if name in tables else None
        shown = [
            f"**{_with_interval(cells[way])}**" if way == winner else _with_interval(cells.get(way)) for way in ways
        ]
        rows.append([f"{name} ({METRIC_NAMES[metric]})", *shown, f"{PAPER[name]:.3f}" if name in PAPER else "-"])
    for title, names in ((", ".join(FIVE), FIVE), ("the seven tables of the paper", PAPER)):
        known = [results.get(name, {}) for name in names]
        means = [_mean([cells.get(way, {}).get("test") for cells in known]) for way in ways]
        rows.append([f"mean of {title}", *means, _mean([PAPER[name] for name in names])])
    ranks = _ranks(tables, ranked)
    rows.append([f"mean rank on {len(tables)} tables", *(ranks.get(way, "-") for way in ways), "-"])
    note = "Behind ± half of the 95 % interval over the molecules of the test part; the best in bold where all frozen "
    note += "ones are known."
    return f"{_table(['table', *(WAYS[way] for way in ways), 'the paper'], rows)}\n\n{note}"


def _with_interval(cell: dict[str, Any] | None) -> str:
    if cell is None or cell["test"] is None:
        return "-"
    low, high = cell["interval"]
    once = ", one seed" if cell["seeds"] == 1 and "head" not in cell else ""  # an average of heads draws nothing
    return f"{cell['test']:.3f} ± {(high - low) / 2:.2f}{once}"


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.3f}" if len(known) == len(values) else "-"


def _ranks(tables: dict[str, Any], ways: Sequence[str]) -> dict[str, str]:
    """Give the mean rank of every way over the tables; 1 is the best."""
    if not tables:
        return {}
    values = np.array([[metric_of(name)[1] * cells[way]["test"] for way in ways] for name, cells in tables.items()])
    return {way: f"{rank:.1f}" for way, rank in zip(ways, rankdata(-values, axis=1).mean(0), strict=True)}


def metric_of(task: str) -> tuple[str, int]:
    """Give the main metric of a task, and 1 if more of it is better, -1 if less is."""
    metric = MAIN_METRIC[registered_task(task).kind]
    return metric, 1 if METRICS[metric].higher_is_better else -1


def targets(content: dict[str, Any]) -> str:
    """Give the mean error over the targets for every kind of features, and how often it is less than that of ECFP."""
    results: dict[str, dict[str, float]] = content["results"]
    known = results["ecfp"]
    rows = []
    for row in sorted(results, key=content["mean"].__getitem__):
        fewer = sum(results[row][name] < known[name] for name in known)
        label = row if row.startswith("average") else f"kernel on {row}"
        rows.append([label, f"{content['mean'][row]:.3f}", "-" if row == "ecfp" else f"{fewer} of {len(known)}"])
    return _table(["head and features", f"mean RMSE of {len(known)} targets", "better than ECFP on"], rows)


def blocks(content: dict[str, Any]) -> str:
    """Set the sets of blocks beside each other."""
    results = content["results"]
    kinds = list(next(iter(results.values()))["test"])
    rows = [
        [f"{name} ({METRIC_NAMES[one['metric']]})", *(f"{one['test'][kind]:.3f}" for kind in kinds)]
        for name, one in results.items()
    ]
    sentences = []
    for name, what in (
        ("all minus best single block", "the single block that is best on the very table"),
        ("all minus without exlm", "all but exlm"),
    ):
        one = content["verdict"][name]
        sentences.append(
            f"All blocks against {what}: {one['mean gain']:+.3f} on the mean (ROC-AUC, or RMSE in units of the spread "
            f"of the labels), better on {one['better on']} of {one['tables']}, the worst {one['worst']:+.3f} "
            f"({one['worst table']})."
        )
    return "\n".join([_table(["table", *kinds], rows), "", *sentences, _aim(content)])


def _aim(content: dict[str, Any]) -> str:
    """Say whether all blocks are as good as the best single one on the mean, and nowhere 0.02 worse than any."""
    means = content["verdict"]["mean of ROC-AUC and of -RMSE / spread"]
    best = max((kind for kind in means if "+" not in kind), key=lambda kind: means[kind])
    every = max(means, key=lambda kind: kind.count("+"))
    behind = {
        name: f"{name} ({gain:+.3f} against {one['best single block']})"
        for name, one in content["results"].items()
        if (gain := one["better"] * one["all minus best single block"][0]) < -0.02
    }
    where = f"by more than 0.02 on {', '.join(behind.values())}" if behind else "nowhere by more than 0.02"
    return (
        f"On the mean over the tables all blocks have {means[every]:.3f} and {best}, the best single one, "
        f"{means[best]:.3f} (ROC-AUC, or minus RMSE in units of the spread); worse than the block that is best there "
        f"they are {where}. No test value decides anything: which block is best on a table is known afterwards only."
        + "".join(f" Not measured: {name}." for name in EIGHT if name not in content["results"])
    )


def trust(content: dict[str, Any]) -> str:
    """List coverage and calibration, on new scaffolds and at random."""
    head = ["table", "split", "coverage: validation", "test", "classes in a set: test", "ECE: validation", "test"]
    rows = [
        [name, split, *_trusted(one[split]["valid"], one[split]["test"])]
        for name, one in content["results"].items()
        for split in ("scaffold", "random")
        if split in one
    ]
    held = "coverage of intervals and of sets by class"
    means = [
        ["**mean**", split, *_cells(one, held), "", *_cells(one, "ece")] for split, one in content["means"].items()
    ]
    note = "Sets by class; as often as promised for all classes together, they hold of the test parts "
    together = [
        f"{one['test']['coverage by all']:.1%} ({split})"
        for split, one in content["means"].items()
        if "coverage by all" in one["test"]
    ]
    return f"{_table(head, rows + means)}\n\n{note}{', '.join(together)}."


def _trusted(valid: dict[str, Any], test: dict[str, Any]) -> list[str]:
    both = {"valid": valid, "test": test}
    held = "coverage" if "coverage" in test else "coverage by class"
    size = f"{test['classes by class']:.2f}" if "classes by class" in test else ""
    return [*_cells(both, held), size, *_cells(both, "ece")]


def _cells(parts: dict[str, Any], name: str) -> list[str]:
    shown = "{:.3f}" if name == "ece" else "{:.1%}"
    return [shown.format(parts[part][name]) if name in parts[part] else "" for part in ("valid", "test")]


def leaks(content: dict[str, Any]) -> str:
    """Say how many molecules were found again."""
    rows = [[name, f"{one['keys']:,}", str(one["found"])] for name, one in content["results"].items()]
    read = sum(one["lines"] for one in content["corpora"].values())
    return (
        f"{_table(['table', 'keys', 'in the corpus'], rows)}\n\n{read:,} molecules of the corpus were looked through."
    )


def predict_memory(content: dict[str, Any]) -> str:
    """List what a prediction of so many rows takes."""
    head = ["rows", "different molecules", "MiB at most", "with worker processes"]
    rows = [
        [f"{one[name]:,.0f}" for name in ("rows", "different", "peak_mib", "peak_mib_with_workers")]
        for one in content["runs"]
    ]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


TABLES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "peers": peers,
    "blocks": blocks,
    "main_table": main_table,
    "targets": targets,
    "trust": trust,
    "leaks": leaks,
    "predict_memory": predict_memory,
}
"""By the names of the results."""
