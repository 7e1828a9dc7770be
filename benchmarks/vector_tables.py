"""The tables of `docs/embedding.md` and `docs/scale.md`, each made from the result of its script."""

from __future__ import annotations

from typing import Any

from benchmarks.writer import read_result


def short_vectors(content: dict[str, Any]) -> str:
    """Give what is found again, by length and type."""
    rows = content["rows"]
    kinds = list(dict.fromkeys(row["dtype"] for row in rows))
    lines = [f"| `--dim` | {' | '.join(f'`{kind}`' for kind in kinds)} |", "|---|" + "---:|" * len(kinds)]
    for dim in dict.fromkeys(row["dim"] for row in rows):
        cells = [f"{row['recall']:.1%}, {row['bytes']:,} bytes".replace("%", " %") for row in rows if row["dim"] == dim]
        lines.append(f"| {dim} | {' | '.join(cells)} |")
    about = (
        f"Of the {content['nearest']} nearest of {content['library']:,} molecules of ZINC, as many are found again, as "
        f"a mean over {content['queries']} molecules that are looked for (`benchmarks/short_vectors.py`):"
    )
    return "\n".join([about, "", *lines])


NAMES = {"tsne": "t-SNE (the default)", "pca": "principal components", "umap": "UMAP (`umap-learn`)"}


def maps(content: dict[str, Any]) -> str:
    """Give what each layout keeps together."""
    how_many = f"{content['molecules']:,} molecules (`benchmarks/maps.py`)"
    lines = [
        f"| `--layout`, {how_many} | of the {content['nearest']} nearest, beside them | trustworthiness |",
        "|---|---:|---:|",
    ]
    for name, one in content["layouts"].items():
        kept = f"{one['kept']:.1%}".replace("%", " %")
        lines.append(f"| `{name}`: {NAMES[name]} | {kept} | {one['trustworthiness']:.3f} |")
    return "\n".join(lines)


def scale(content: dict[str, Any]) -> str:
    """Give the cost of a million molecules and what follows for more of them, and the memory."""
    timed = read_result("inference")
    about = (
        f"`exlm-small`, one thread, {timed['molecules']:,} molecules of ZINC: SMILES to vectors, without files "
        f"(`benchmarks/inference.py`; {timed['machine']['processor']} with AMX):"
    )
    head = "| | molecules/s | core-hours for 10^6 | 10^9, on 1,000 cores | 10^10, on 1,000 cores |"
    lines = [head, "|---|---:|---:|---:|---:|"]
    for way, speed in timed["threads"]["1"].items():
        if not way.startswith("Hugging Face"):
            hours = 1e6 / speed["molecules_per_second"] / 3600
            more = " | ".join(_duration(hours * times / 1000) for times in (1e3, 1e4))
            lines.append(f"| {way} | {speed['molecules_per_second']:,.0f} | {hours:.2f} | {more} |")
    few, many = content["runs"]
    per_row = (many["cpu_seconds"] - few["cpu_seconds"]) / (many["rows"] - few["rows"]) * 1e6 / 3600
    flat = (
        f"A million rows more to read and to write (`.npz`) took {per_row:.2f} core-hours. Memory at its most was "
        f"{few['peak_mib']:,} MiB for {few['rows']:,} rows and {many['peak_mib']:,} MiB for {many['rows']:,}, real "
        "molecules repeated (`benchmarks/scale.py`). That 1,000 cores do 1,000 times the work of one is reckoned and "
        "was not measured."
    )
    return "\n".join([about, "", *lines, "", flat])


def _duration(hours: float) -> str:
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


TABLES = {"short_vectors": short_vectors, "maps": maps, "scale": scale}
