"""``exlm-chem models``."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

EXAMPLE = "exlm-chem models show bbbp"


class Action(StrEnum):
    """What to do with models."""

    list = "list"
    show = "show"
    check = "check"
    export = "export"
    publish = "publish"
    axes = "axes"


class Weights(StrEnum):
    """How exported weights are kept."""

    fp32 = "fp32"
    int8 = "int8"


def models(
    action: Annotated[
        Action,
        typer.Argument(
            help="list: those that ship; show: one; check: the files of one, or of all that ship; export: as ONNX; "
            "publish: on the Hugging Face Hub; axes: find the principal axes for embed --dim."
        ),
    ] = Action.list,
    model: Annotated[str, typer.Argument(help="A name from the list or a model directory.")] = "",
    other: Annotated[
        str, typer.Argument(help="For publish: where to, as OWNER/NAME; for axes: a file of molecules to embed.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The directory for what export writes; a page.html for show."),
    ] = None,
    precision: Annotated[Weights, typer.Option(help="Of the weights that export writes.")] = Weights.fp32,
    licence: Annotated[str, typer.Option(help="Of the weights that publish uploads, if their card names none.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what publish would upload, and what is missing.")
    ] = False,
) -> None:
    """List the models that ship, show what one is, check a model directory, export or publish a model, or
    find the axes of an encoder.

    The page of a predictor says what its numbers mean, from where on they are a yes, how good they are and on what
    molecules, where the labels come from, and what it is not for. With -o card.html it is its card, for a browser.
    """
    from exlm_chem import locations

    if action is Action.show and not model:
        example = (locations.available() or ["DIR"])[0]
        raise typer.BadParameter(f"name a model, for example: exlm-chem models show {example}", param_hint="MODEL")
    if action is Action.export:
        _export(model, output, precision, as_json)
    elif action is Action.publish:
        _publish(model, other, licence, dry_run, as_json)
    elif action is Action.axes:
        _axes(model, other, as_json)
    elif action is Action.list:
        _list(as_json)
    elif action is Action.check:
        _check([model] if model else locations.available(), as_json)
    elif output is not None:
        from exlm_chem.prediction.report.card import write_card

        write_card(model, output)
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

    from .screen import show_table

    summaries: list[dict[str, Any]] = []
    for name in locations.available():
        try:
            summaries.append(_describe(locations.locate(name)))
        except ExLMError as error:
            summaries.append({"name": name, "broken": str(error)})
    if as_json:
        keys = ("name", "kind", "parameters", "bytes", "broken")
        told = [{key: one[key] for key in keys if key in one} | _about_task(one) for one in summaries]
        typer.echo(json_text(told, indent=2))
        return
    columns = ("name", "kind", "what", "outputs", "parameters", "MB", "on molecules kept apart")
    show_table(columns, map(_line, summaries), numbers=(3, 4, 5))


def _line(summary: dict[str, Any]) -> tuple[str, ...]:
    from .model_page import main_metric

    if "broken" in summary:
        return summary["name"], "broken", summary["broken"], "-", "-", "-", "-"
    size = f"{summary['parameters'] / 1e6:.2f} M", f"{summary['bytes'] / 1e6:.1f}"
    task = summary.get("task")
    if task is None:
        what = f"vectors of length {summary['config'].get('hidden_size')}"
        return summary["name"], "encoder", what, "-", *size, "-"
    return summary["name"], task["kind"], task["title"], f"{len(task['columns'])}", *size, main_metric(task)


def _about_task(summary: dict[str, Any]) -> dict[str, Any]:
    task = summary.get("task")
    if task is None:
        return {}
    outputs = [column["name"] for column in task["columns"]]
    return {"title": task["title"], "task": task["kind"], "outputs": outputs, "test": task["metrics"].get("test")}


def _check(names: list[str], as_json: bool) -> None:
    """Check all files of some models; a broken one hides no other."""
    from exlm_chem import locations, model_directory
    from exlm_chem.errors import ExLMError
    from exlm_chem.predictors import directory as predictors

    from .streams import say

    files, broken = list[str](), list[str]()
    for name in names:
        try:
            directory = locations.locate(name)
            check = predictors.check if model_directory.is_predictor(directory) else model_directory.check
            files += [str(path) for path in check(directory)]
        except ExLMError as error:
            if len(names) == 1:
                raise
            broken.append(str(error))
    files = list(dict.fromkeys(files))  # several predictors have one encoder
    if as_json:
        typer.echo(json.dumps({"ok": not broken, "files": files, "broken": broken}, indent=2))
    else:
        typer.echo("\n".join(f"ok  {path}" for path in files))
    for sentence in broken:
        say(f"broken: {sentence}")
    if broken:
        raise typer.Exit(1)


def _export(model: str, output: Path | None, precision: Weights, as_json: bool) -> None:
    if not model or output is None:
        raise typer.BadParameter(
            "name a model and a directory, for example: exlm-chem models export exlm-small -o onnx"
        )
    from exlm_chem.embedding.backends.export import export_onnx

    files = [str(path) for path in export_onnx(model, output, precision.value)]
    typer.echo(json.dumps({"files": files}, indent=2) if as_json else "\n".join(files))


def _publish(model: str, repository: str, licence: str, dry_run: bool, as_json: bool) -> None:
    """Upload a model, or show what that would be."""
    if not model or not repository:
        raise typer.BadParameter(
            "name a model and a repository, for example: exlm-chem models publish exlm-small me/exlm-small --dry-run"
        )
    from dataclasses import asdict

    from exlm_chem.publishing import publish

    from .screen import show_table
    from .streams import say

    upload = publish(model, repository, licence, dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps({**asdict(upload), "uploaded": not dry_run}, indent=2))
    else:
        show_table(("file", "bytes"), ((name, f"{size:,}") for name, size in upload.files.items()), numbers=(1,))
        say(f"{'would go' if dry_run else 'went'} to https://huggingface.co/{repository}")
    for problem in upload.problems:
        say(f"missing: {problem}")
    if upload.problems:
        raise typer.Exit(1)


def _axes(model: str, molecules: str, as_json: bool) -> None:
    if not model or not molecules:
        raise typer.BadParameter("name a model and molecules, for example: exlm-chem models axes DIR library.smi")
    from exlm_chem.embedding.axes import fit_axes

    path = str(fit_axes(model, [molecules]))
    typer.echo(json.dumps({"files": [path]}, indent=2) if as_json else path)


def _show(summary: dict[str, Any], as_json: bool) -> None:
    from exlm_chem.storage import json_text

    from .model_page import show_encoder, show_predictor

    if as_json:
        typer.echo(json_text(summary, indent=2))
    elif summary["kind"] == "predictor":
        show_predictor(summary)
    else:
        show_encoder(summary)
