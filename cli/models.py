"""``exlm-chem models``."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

EXAMPLE = "exlm-chem models list"


class Action(StrEnum):
    """What to do with models."""

    list = "list"
    show = "show"
    check = "check"


def models(
    action: Annotated[
        Action, typer.Argument(help="list: those that ship; show: one; check: the files of one.")
    ] = Action.list,
    model: Annotated[str, typer.Argument(help="A name from the list or a model directory.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """List the models that ship with the package, show what one is, or check a model directory."""
    from exlm_chem import model_directory

    if action is not Action.list and not model:
        raise typer.BadParameter(
            f"name a model, for example: exlm-chem models {action} {(model_directory.available() or ['DIR'])[0]}"
        )
    if action is Action.list:
        summaries = [model_directory.describe(model_directory.find_model(name)) for name in model_directory.available()]
        if as_json:
            typer.echo(
                json.dumps(
                    [{key: s[key] for key in ("name", "kind", "parameters", "bytes")} for s in summaries], indent=2
                )
            )
        else:
            for summary in summaries:
                title = summary.get("task", {}).get("title", "")
                typer.echo(f"{summary['name']:<16} {summary['kind']:<10} {_size(summary)}  {title}".rstrip())
    elif action is Action.check:
        files = [str(path) for path in model_directory.check(model_directory.find_model(model))]
        typer.echo(
            json.dumps({"ok": True, "files": files}, indent=2)
            if as_json
            else "\n".join(f"ok  {path}" for path in files)
        )
    else:
        _show(model_directory.describe(model_directory.find_model(model)), as_json)


def _size(summary: dict[str, Any]) -> str:
    return f"{summary['parameters'] / 1e6:.2f} M parameters, {summary['bytes'] / 1e6:.1f} MB"


def _show(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
        return
    typer.echo(f"{summary['name']} ({summary['kind']}) in {summary['directory']}")
    typer.echo(_size(summary))
    for part in ("task", "config", "training"):
        for key, value in summary.get(part, {}).items():
            typer.echo(f"{part}.{key} = {json.dumps(value)}")
