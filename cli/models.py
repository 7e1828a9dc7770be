"""``exlm-chem models``."""

import json
from enum import StrEnum
from pathlib import Path
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
    from exlm_chem import locations

    if action is not Action.list and not model:
        raise typer.BadParameter(
            f"name a model, for example: exlm-chem models {action} {(locations.available() or ['DIR'])[0]}"
        )
    if action is Action.list:
        _list(as_json)
    elif action is Action.check:
        _check(locations.locate(model), as_json)
    else:
        _show(_describe(locations.locate(model)), as_json)


def _describe(directory: Path) -> dict[str, Any]:
    from exlm_chem import model_directory
    from exlm_chem.predictors import directory as predictors

    if model_directory.is_predictor(directory):
        return predictors.describe(directory)
    return model_directory.describe(directory)


def _list(as_json: bool) -> None:
    """Show a line for every model that ships; a damaged one hides no other."""
    from exlm_chem import locations
    from exlm_chem.errors import ExLMError
    from exlm_chem.storage import json_text

    summaries: list[dict[str, Any]] = []
    for name in locations.available():
        try:
            summaries.append(_describe(locations.locate(name)))
        except ExLMError as error:
            summaries.append({"name": name, "broken": str(error)})
    if as_json:
        keys = ("name", "kind", "parameters", "bytes", "broken")
        typer.echo(json_text([{key: one[key] for key in keys if key in one} for one in summaries], indent=2))
        return
    for one in summaries:
        title = one.get("task", {}).get("title", "")
        about = f"broken: {one['broken']}" if "broken" in one else f"{one['kind']:<10} {_size(one)}  {title}"
        typer.echo(f"{one['name']:<16} {about}".rstrip())


def _check(directory: Path, as_json: bool) -> None:
    from exlm_chem import model_directory
    from exlm_chem.predictors import directory as predictors

    check = predictors.check if model_directory.is_predictor(directory) else model_directory.check
    files = [str(path) for path in check(directory)]
    text = json.dumps({"ok": True, "files": files}, indent=2) if as_json else "\n".join(f"ok  {path}" for path in files)
    typer.echo(text)


def _size(summary: dict[str, Any]) -> str:
    return f"{summary['parameters'] / 1e6:.2f} M parameters, {summary['bytes'] / 1e6:.1f} MB"


def _show(summary: dict[str, Any], as_json: bool) -> None:
    from exlm_chem.errors import printable
    from exlm_chem.storage import json_text

    if as_json:
        typer.echo(json_text(summary, indent=2))
        return
    typer.echo(printable(f"{summary['name']} ({summary['kind']}) in {summary['directory']}"))
    typer.echo(_size(summary))
    for part in ("task", "config", "training"):
        for key, value in summary.get(part, {}).items():
            typer.echo(printable(f"{part}.{key} = {json_text(value)}"))
