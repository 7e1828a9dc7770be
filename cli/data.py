"""``exlm-chem data``."""

import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.tables.read_options import ReadOptions

from .options import takes_options
from .streams import say, say_where

if TYPE_CHECKING:
    from exlm_chem.data_sets.catalogue import KnownTable
    from exlm_chem.predictors.task import Task

EXAMPLE = "exlm-chem data describe tests/data/bbbp_300.csv"

_LABELS = {"classification": "class", "regression": "value"}


class Action(StrEnum):
    """What to do with tables."""

    list = "list"
    fetch = "fetch"
    describe = "describe"


@takes_options
def data(
    action: Annotated[
        Action,
        typer.Argument(help="list: public tables, or one; fetch: one of them; describe: what is in a table of yours."),
    ] = Action.list,
    name: Annotated[
        str, typer.Argument(help="list, fetch: a name from the list, or my.toml; describe: a file, - for stdin.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="fetch: the table to write [NAME.csv.gz].")
    ] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from", help="fetch: the public file, where it was downloaded by hand.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    *,
    labels: LabelOptions,
    reading: ReadOptions,
) -> None:
    """List public tables of measured molecules, fetch one, or describe one of your own.

    A fetched table has the column "smiles" and the labels, and beside it a file that says where it came from. A
    description says what finetune would find in a table: columns, molecules, labels, and what is wrong with them.
    """
    if action is not Action.list and not name:
        example = "bbbp" if action is Action.fetch else "measured.csv"
        raise typer.BadParameter(f"name one, for example: exlm-chem data {action} {example}", param_hint="NAME")
    if action is Action.list:
        _list(name, as_json)
    elif action is Action.fetch:
        _fetch(name, output, from_file, as_json)
    else:
        _describe(name, reading, labels, as_json)


def _list(name: str, as_json: bool) -> None:
    """Show a line for each table, or all that is known of one."""
    from exlm_chem.data_sets.catalogue import known_tables
    from exlm_chem.predictors.registry import registered_task
    from exlm_chem.storage import json_text

    from .screen import show_table

    task = registered_task(name) if name else None
    tables = known_tables(task=task)
    if as_json:
        typer.echo(json_text([asdict(table) for table in tables], indent=2))
        return
    if task is not None:
        _show_task(task, tables[0])
        return
    if sys.stdout.isatty():
        short = ("name", "what, metric, licence", "labels", "molecules", "ships", "here")
        show_table(short, map(_short_line, tables), numbers=(3,))
    else:
        columns = ("name", "what", "kind", "outputs", "molecules", "metric", "ships", "licence", "here")
        show_table(columns, map(_line, tables), numbers=(3, 4))
    say("all about one: exlm-chem data list NAME; to get it: exlm-chem data fetch NAME")


def _show_task(task: "Task", table: "KnownTable") -> None:
    from .screen import show_heading, show_table, show_text

    show_text(f"{task.name}: {task.title}" if task.title else task.name)
    facts = {
        "kind": task.kind,
        "metric": task.metric,
        "source": task.source,
        "licence": task.licence,
        "address": table.address,
        "md5": task.table.md5 if task.table else None,
        "rows": table.rows,
        "molecules": table.molecules,
        "here": table.here,
        "predictor": f"exlm-chem predict --task {task.name} FILE" if table.predictor else None,
    }
    show_table(
        ("", ""), [(name, f"{value:,}" if isinstance(value, int) else value or "-") for name, value in facts.items()]
    )
    show_heading("Outputs")
    outputs = task.columns or ([task.every] if task.every else [])
    show_table(
        ("output", "label", "unit", "wanted", "meaning"),
        [(one.name, one.target, one.unit, one.direction.replace("none", "depends"), one.meaning) for one in outputs],
    )
    if not task.columns:
        show_text("one for every column of the table but that of the SMILES, in the place of {target}")


def _short_line(table: "KnownTable") -> tuple[str, ...]:
    """Give the cells for a terminal, where a line holds eighty characters."""
    name, what, kind, outputs, molecules, metric, ships, licence, here = _line(table)
    return name, f"{what}\n{metric}\n{licence}", f"{outputs} x {_LABELS[kind]}", molecules, ships, here


def _line(table: "KnownTable") -> tuple[str, ...]:
    return (
        table.name,
        table.title,
        table.kind,
        f"{table.outputs or 'all'}",
        f"{table.molecules:,}" if table.molecules else "-",
        table.metric or "-",
        "yes" if table.predictor else "-",
        table.licence,
        f"{table.here or '-'}{' (changed since it was fetched)' if table.changed else ''}",
    )


def _fetch(name: str, output: Path | None, from_file: Path | None, as_json: bool) -> None:
    from exlm_chem.data_sets.fetching import fetch
    from exlm_chem.storage import json_text

    fetched = fetch(name, output, from_file, log=say)
    if as_json:
        typer.echo(json_text(asdict(fetched), indent=2))
        return
    say(f"{fetched.rows:,} rows of {fetched.address} (sha256 {fetched.file_sha256}, {_checked(fetched.checked)})")
    say(f"cite: {fetched.source or '-'}; licence as far as it is known: {fetched.licence or '-'}")
    say_where(output or fetched.table)


def _checked(checked: bool) -> str:
    return "checked against the published md5" if checked else "not checked"


def _describe(name: str, reading: ReadOptions, labels: LabelOptions, as_json: bool) -> None:
    from exlm_chem.data_sets.description import describe
    from exlm_chem.storage import json_text

    from .description import show_description
    from .progress import counting

    with counting() as count:
        description = describe([name], reading, labels, count)
    if as_json:
        typer.echo(json_text(description.to_json(), indent=2))
    else:
        show_description(description)
