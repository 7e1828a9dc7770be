"""The tables of proposals, from what ``benchmarks/fill.py`` and ``benchmarks/enumeration.py`` measured."""

from __future__ import annotations

from typing import Any

COLUMNS = {
    "best_valid": "best one valid",
    "best_is_parent": "best one is what stood there",
    "valid": "valid",
    "unique": "different",
    "novel": "not in the sample",
    "internal_diversity": "diversity",
    "similarity_to_parent": "like the parent",
    "sa_score": "SA score",
    "seconds_per_molecule": "s/molecule",
}


def fill_table(content: dict[str, Any]) -> str:
    """Give a row for each model, number of masks and way."""
    drawn_from = f"a sample of {content['corpus_sample']:,} molecules of the corpus"
    lines = [
        f"{content['molecules']:,} molecules; {drawn_from}; SA score of the parents {_parents(content):.2f}.\n",
        f"| model | masks, way | {' | '.join(COLUMNS.values())} |",
        "|---|---|" + "---|" * len(COLUMNS),
    ]
    for name, model in content["models"].items():
        for case, numbers in model.items():
            if isinstance(numbers, dict):
                cells = " | ".join(_cell(key, numbers[key]) for key in COLUMNS)
                lines.append(f"| {name} ({model['objective']}) | {case.replace('1 masks', '1 mask')} | {cells} |")
    single = content["seconds_for_100_valid"]
    times = ", ".join(f"`{text.replace(':', '`')} in {seconds:.2f} s" for text, seconds in single.items())
    return "\n".join([*lines, "", f"Up to 100 valid proposals for a single mask, the model loaded: {times}."])


def enumeration_table(content: dict[str, Any]) -> str:
    """Give a row for each way to replace a group."""
    columns = {name: COLUMNS[name] for name in COLUMNS if name not in ("best_valid", "best_is_parent")}
    columns["novel"] = "not in the corpus"
    rows, bad = content["results"], content["no_molecules"]
    group = f"one group of each ({content['group_heavy_atoms']:.1f} heavy atoms in the mean)"
    library = f"a library of {content['library_molecules']:,} molecules"
    parents = f"SA score of the parents {next(iter(rows.values()))['sa_score_of_parents']:.2f}"
    lines = [
        f"{content['molecules']:,} molecules, {group}; {library}; {parents}.\n",
        f"| way | proposals, of {content['wanted']} wanted | {' | '.join(columns.values())} |",
        "|---|---|" + "---|" * len(columns),
    ]
    for name, numbers in rows.items():
        cells = " | ".join(_cell(key, numbers[key]) for key in columns)
        lines.append(f"| {name} | {numbers['proposals']:.1f} | {cells} |")
    share = f"{bad['repaired_by_selfies'] / bad['number']:.0%}".replace("%", " %")
    repaired = f"Of the {bad['number']:,} best proposals that are no molecules SELFIES makes one of {share}."
    return "\n".join([*lines, "", repaired])


def _parents(content: dict[str, Any]) -> float:
    cases = (case for model in content["models"].values() for case in model.values() if isinstance(case, dict))
    return float(next(cases)["sa_score_of_parents"])


def _cell(key: str, value: float) -> str:
    if key in ("sa_score", "internal_diversity", "similarity_to_parent"):
        return f"{value:.2f}"
    return f"{value:.3f}" if key == "seconds_per_molecule" else f"{value:.1%}".replace("%", " %")
