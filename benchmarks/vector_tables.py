"""The tables of `docs/embedding.md`, each made from the result of its script."""

from __future__ import annotations

from typing import Any


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


TABLES = {"short_vectors": short_vectors, "maps": maps}
