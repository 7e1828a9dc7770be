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


def molecule_sets(content: dict[str, Any]) -> dict[str, Any]:
    """Give what `benchmarks/inference.py` measured, by the names of the molecules; at first it had only ZINC's."""
    sets: dict[str, Any] = content.get("sets") or {"ZINC": content}
    return sets


def claims() -> dict[str, list[str]]:
    """Give the claims about the speed of the encoder, and what was measured."""
    beside = "embedding on one thread, beside a RoBERTa of the same shape with naive batches"
    return {
        f"{beside} (`inference`; {timed['molecules']:,} molecules of {name})": [
            f"{way} {speed['times_hugging_face_fp32']:.1f} x" for way, speed in timed["threads"]["1"].items()
        ]
        for name, timed in molecule_sets(read_result("inference")).items()
    }


def inference(content: dict[str, Any]) -> str:
    """Set all ways beside each other, and what the vectors of each are worth."""
    sets = molecule_sets(content)
    columns = [(name, threads) for name, one in sets.items() for threads in one["threads"]]
    heads = [f"{name}, {threads} thread{'s' * (threads != '1')}" for name, threads in columns]
    lines = [f"| molecules/s (times Hugging Face fp32) | {' | '.join(heads)} |", "|---|" + "---:|" * len(columns)]
    for way in sets[columns[0][0]]["threads"][columns[0][1]]:
        speeds = [sets[name]["threads"][threads][way] for name, threads in columns]
        cells = [f"{one['molecules_per_second']:,.0f} ({one['times_hugging_face_fp32']:.2f} x)" for one in speeds]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    counts = " and ".join(f"{one['molecules']:,} of {name}{_tokens(one)}" for name, one in sets.items())
    script = content["command"][2].rpartition(".")[2]
    about = f"Molecules: {counts} (`benchmarks/{script}.py`; {_processor(content)})."
    parts = [about, "", *lines]
    if worth := content.get("worth"):
        ways = [name for name in next(iter(worth.values())) if name != "metric"]
        parts += ["", "What the vectors are worth (kernel head, test part of the scaffold split):", ""]
        parts += [f"| | {' | '.join(ways)} |", "|---|" + "---:|" * len(ways)]
        for task, one in worth.items():
            metric = one["metric"].replace("_", "-").upper()
            parts.append(f"| {task}, {metric} | {' | '.join(f'{one[way]:.4f}' for way in ways)} |")
    return "\n".join(parts)


def _tokens(one: dict[str, Any]) -> str:
    return f" ({one['tokens_mean']:.0f} tokens as a mean, {one['tokens_most']} at most)" if "tokens_mean" in one else ""


def _processor(content: dict[str, Any]) -> str:
    machine = content["machine"]
    return f"{machine['processor']}{' with AMX' * machine['instructions']['amx']}"


def scale(content: dict[str, Any]) -> str:
    """Give the cost of a million molecules and what follows for more of them, and the memory."""
    read = read_result("inference")
    timed = molecule_sets(read)["ZINC"]
    about = (
        f"`exlm-small`, one thread, {timed['molecules']:,} molecules of ZINC: SMILES to vectors, without files "
        f"(`benchmarks/inference.py`; {_processor(read)}):"
    )
    head = "| | molecules/s | core-hours for 10^6 | 10^9, on 1,000 cores | 10^10, on 1,000 cores |"
    lines = [head, "|---|---:|---:|---:|---:|"]
    for way in timed["near"]:
        speed = timed["threads"]["1"][way]
        hours = 1e6 / speed["molecules_per_second"] / 3600
        more = " | ".join(_duration(hours * times / 1000) for times in (1e3, 1e4))
        lines.append(f"| {way} | {speed['molecules_per_second']:,.0f} | {hours:.2f} | {more} |")
    few, *_, many = content["runs"]
    per_row = (many["cpu_seconds"] - few["cpu_seconds"]) / (many["rows"] - few["rows"]) * 1e6 / 3600
    peaks = ", ".join(f"{one['peak_mib']:,} MiB for {one['rows']:,} rows" for one in content["runs"])
    flat = (
        f"A million rows more to read and to write (`.npz`) took {per_row:.2f} core-hours. Memory at its "
        f"most: {peaks}, real molecules repeated (`benchmarks/scale.py`). That 1,000 cores do 1,000 times the work of "
        "one is reckoned and was not measured."
    )
    return "\n".join([about, "", *lines, "", flat])


def engines(content: dict[str, Any]) -> str:
    """Give what starting and feeding workers costs."""
    count, (few, many) = content["molecules"], content["rows"]
    head = f"one molecule | {count:,} molecules | so molecules/s | rows/s fed | memory, {few:,} and {many:,} rows"
    lines = [f"| `embed` | {head} |", "|---|---:|---:|---:|---:|---:|"]
    for way, runs in content["ways"].items():
        one, all_, short, long = (runs[name]["seconds"] for name in ("one", "all", "few_rows", "many_rows"))
        memory = " and ".join(f"{runs[name]['peak_mib']:,}" for name in ("few_rows", "many_rows"))
        speeds = f"{(count - 1) / (all_ - one):,.0f} | {(many - few) / (long - short):,.0f}"
        lines.append(f"| {way} | {one:.1f} s | {all_:.1f} s | {speeds} | {memory} MiB |")
    where = f"{content['machine']['cpus']} processors under a load of {content['load_before']:.1f} by other programs"
    same = f"The files are the same (`benchmarks/engines.py`, {where}). Ray starts once for a run of minutes or hours. "
    same += "Rows fed: each molecule a thousand times, so that reading, writing and what Ray carries is all."
    return "\n".join([*lines, "", same])


def _duration(hours: float) -> str:
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


TABLES = {
    "short_vectors": short_vectors,
    "maps": maps,
    "scale": scale,
    "inference": inference,
    "inference_without_bf16": inference,
    "engines": engines,
}
