"""A model as a page for a person: what its numbers mean, how good it is, on what, and what it is not for."""

from collections.abc import Iterator
from typing import Any

from exlm_chem.terms import Kind

from .screen import show_heading, show_table, show_text

_IN_WORDS = {
    "roc_auc": "ROC-AUC: how often a molecule of class 1 gets a higher number than one of class 0; 0.5 is guessing",
    "average_precision": "average precision: the share of class 1 at the top of the list; by chance their share of all",
    "rmse": "RMSE: the typical error, where large errors count more; in the unit of the output",
    "mae": "MAE: the mean error, in the unit of the output",
}
_WEAK_AUC = 0.8
_VECTORS = {
    "mean": "mean over the tokens",
    "first": "first state of <s>",
    "mean+middle": "mean over the tokens, and that of the middle layer",
    "mean+max": "mean over the tokens, and the largest of each number",
    "states": "all states of <s>",
}
_METHODS = {
    "head": "head on the frozen encoder",
    "lora": "low-rank changes of the encoder's attention, and head",
    "full": "encoder and head together",
}
_COUNTS = frozenset(["molecules", "scored", "known", "positive", "seeds"])


def show_predictor(summary: dict[str, Any]) -> None:
    """Print the page of a predictor, from what `exlm_chem.predictors.directory.describe` says."""
    from exlm_chem.finetuning.card import MOST_COLUMNS

    task, run = summary["task"], summary.get("run", {})
    show_text(f"{summary['name']}: {task.get('title') or task['name']}")
    outputs = "one output" if len(task["columns"]) == 1 else f"{len(task['columns']):,} outputs"
    show_text(f"a predictor ({task['kind']}, {outputs}) in {summary['directory']}")
    show_heading("What a number means")
    columns = task["columns"][:MOST_COLUMNS]
    show_table(("output", "unit", "range", "a yes from", "wanted", "meaning"), map(_output, columns), numbers=(3,))
    if len(task["columns"]) > MOST_COLUMNS:
        show_text(f"and {len(task['columns']) - MOST_COLUMNS:,} more outputs; --json tells all")
    show_heading("How good it is")
    _show_metrics(task["metrics"], task["kind"], [column["unit"] for column in task["columns"]])
    _show_blocks(task["metrics"], task["kind"])
    show_heading("On what it was trained")
    show_table(("", ""), _training(task, run, summary))
    show_heading("What it is not for")
    for sentence in _cautions(task, run):
        show_text(f"* {sentence}")
    show_heading("How to use it")
    for command in _commands(summary):
        show_text(f"  {command}")


def show_encoder(summary: dict[str, Any]) -> None:
    """Print the page of an encoder, from what `exlm_chem.model_directory.describe` says."""
    config, training = summary["config"], summary.get("training", {})
    name, of_text = _called(summary), summary["reads"] == "text"
    show_text(f"{summary['name']}: an encoder of {'text' if of_text else 'SMILES'}, in {summary['directory']}")
    show_heading("What it is")
    show_table(("", ""), _architecture(summary, config))
    if training:
        show_heading("On what it was trained")
        show_table(("", ""), _pretraining(training, summary["reads"]))
    show_heading("What it is not for")
    if of_text:
        show_text("* molecules: it reads lines of text")
    else:
        show_text("* it predicts nothing by itself: finetune makes a predictor of it")
        show_text("* molecules unlike those that it was shown: their vectors deserve doubt")
    show_heading("How to use it")
    if not of_text:
        show_text(f"  exlm-chem embed FILE --model {name} -o vectors.npz")
        show_text(f"  exlm-chem finetune FILE --target COLUMN --model {name} -o runs/mine")
    show_text(f"  exlm-chem pretrain FILE --init-from {name}{f' --tokenizer {name}' if of_text else ''} -o runs/more")


def main_metric(task: dict[str, Any]) -> str:
    """Give the test metric of a predictor with its interval, for the list.

    Examples
    --------
    >>> main_metric({"kind": "regression", "metrics": {"test": {"rmse": 0.88624, "interval": [0.757, 1.0724]}}})
    'RMSE 0.886 (0.757 to 1.07)'
    """
    from exlm_chem.finetuning.card import METRIC_NAMES, format_number

    result = (task.get("metrics") or {}).get("test") or {}
    name = next((name for name in METRIC_NAMES if result.get(name) is not None), None)
    if name is None:
        return "-"
    interval = result.get("interval")
    between = f" ({' to '.join(format_number(bound) for bound in interval)})" if interval else ""
    return f"{METRIC_NAMES[name]} {format_number(result[name])}{between}"


def _output(column: dict[str, Any]) -> tuple[str, ...]:
    low, high = column.get("range") or (None, None)
    threshold = column.get("threshold")
    return (
        column["name"],
        column["unit"],
        "-" if low is None or high is None else f"{low:g} to {high:g}",
        "-" if threshold is None else f"{threshold:g}",
        {"none": "depends"}.get(column["direction"], column["direction"]),
        column["meaning"],
    )


def _show_metrics(metrics: dict[str, Any], kind: Kind, units: list[str]) -> None:
    from exlm_chem.finetuning.card import METRIC_NAMES, MOST_COLUMNS, format_number, remark_on_mean

    parts = {part: metrics[part] for part in ("valid", "test") if isinstance(metrics.get(part), dict)}
    names = [name for name in METRIC_NAMES if any(name in result for result in parts.values())]
    if not names:
        show_text("nothing was measured: no molecules were kept apart")
        return
    rows: list[tuple[str, ...]] = []
    for part, result in parts.items():
        columns = result["columns"]
        one = next(iter(columns)) if len(columns) == 1 else f"mean of {result['scored']} of {len(columns)}"
        interval = " to ".join(format_number(bound) for bound in result.get("interval") or ()) or "-"
        known = sum(column["known"] for column in columns.values())
        rows.append((part, one, *(format_number(result.get(name)) for name in names), interval, f"{known:,}"))
        for name, values in list(columns.items())[:MOST_COLUMNS] if len(columns) > 1 else ():
            numbers = (format_number(values.get(metric)) for metric in names)
            rows.append((part, name, *numbers, "", f"{values['known']:,}"))
    titles = [METRIC_NAMES[name] for name in names]
    show_table(("part", "output", *titles, "95 % interval", "labels"), rows, numbers=range(2, len(names) + 4))
    for name in names:
        if name in _IN_WORDS:
            show_text(_IN_WORDS[name])
    for remark in remark_on_mean(kind, units):
        show_text(remark)
    if judged := metrics.get("out_of_fold"):
        shown = list(judged.items())[:MOST_COLUMNS]
        keys = ("threshold", "precision", "recall", "ece")
        lines = [(name, *(format_number(column.get(key)) for key in keys)) for name, column in shown]
        show_table(("output", "a yes from", "precision", "recall", "calibration error"), lines, numbers=range(1, 5))
        show_text(
            "of training molecules that were held out: how often a yes is right, how many of class 1 get one, and"
        )
        show_text("how far probabilities are from the shares that they promise (ECE, 10 bins)")
    if kind == "classification" and "test" in parts:
        show_text(_balance(parts["test"]["columns"]))


def _show_blocks(metrics: dict[str, Any], kind: str) -> None:
    from exlm_chem.finetuning.card import block_rows

    rows = block_rows(kind, metrics)
    if rows:
        show_table(rows[0], rows[1:], numbers=(1,))
        show_text("the same heads on one kind of features alone, and on all of them, on the test part")


def _balance(columns: dict[str, Any]) -> str:
    known = sum(column["known"] for column in columns.values())
    positive = sum(column.get("positive") or 0 for column in columns.values())
    return f"of the {known:,} test labels, {positive / max(known, 1):.0%} are class 1"


def _training(task: dict[str, Any], run: dict[str, Any], summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    data = run.get("data", {})
    if data:
        yield (
            "table",
            f"{data.get('file')}: {data.get('molecules', 0):,} molecules, {data.get('distinct', 0):,} different",
        )
        left_out = ", ".join(f"{count:,} {reason}" for reason, count in run.get("left_out_reasons", {}).items())
        if data.get("left_out"):
            yield "left out", f"{data['left_out']:,} rows ({left_out})"
        if data.get("repeated"):
            yield "repeated", f"{data['repeated']:,} molecules, {data.get('conflicting', 0):,} with labels that differ"
    yield from _splits(task)
    for name in ("source", "licence"):
        if run.get(name):
            yield name, str(run[name])
    if method := run.get("method"):
        yield "method", _METHODS.get(method, str(method))
    yield "features", ", ".join(task["features"])
    for column in task.get("extra_columns", ()):
        yield "column it needs", f"{column['name']}: {', '.join(column['categories'] or ['a number'])}"
    if "exlm" in task["features"]:
        yield "encoder", f"{task['encoder']['path']} ({(task['encoder'].get('sha256') or '')[:16]})"
        layer = "" if task["layer"] == -1 else f", of layer {task['layer']}"
        yield "vector", f"{_VECTORS[task['pooling']]}{layer}"
    yield "standardise", task["standardise"]
    yield "size", f"{size_of(summary)}, the encoder with it"
    if versions := run.get("versions"):
        yield "made by", ", ".join(f"{name} {versions[name]}" for name in ("exlm-chem", "rdkit", "torch"))


def _splits(task: dict[str, Any]) -> Iterator[tuple[str, str]]:
    from exlm_chem.finetuning.card import folds_in_words

    if split := task["split"]:
        yield "split", ", ".join(f"{count:,} {part}" for part, count in split.get("molecules", {}).items())
        yield "", str(split.get("description", ""))
    if folds := task["metrics"].get("cross_validation"):
        yield "cross-validation", folds_in_words(folds)


def _cautions(task: dict[str, Any], run: dict[str, Any]) -> Iterator[str]:
    metrics = task["metrics"]
    valid, test = (metrics.get(part) or {} for part in ("valid", "test"))
    low = (test.get("interval") or [None])[0]
    if task["kind"] == "classification" and low is not None and low < _WEAK_AUC:
        where = "new scaffolds" if task["split"].get("name") == "scaffold" else "molecules like those of the test"
        yield f"deciding about one molecule: on {where} its ROC-AUC may be as low as {low:.2f}; use it to order a list"
    if task["kind"] == "regression" and test.get("rmse"):
        # of several outputs it is a mean over numbers of different units
        error = f", {test['rmse']:.2g} {task['columns'][0]['unit']}" if len(task["columns"]) == 1 else ""
        yield f"differences between molecules that are smaller than its error{error}"
    if valid.get("roc_auc") and test.get("roc_auc") and valid["roc_auc"] - test["roc_auc"] > 0.1:
        yield (
            f"expecting what it reaches on the validation part, {valid['roc_auc']:.2f}: "
            f"on the test part, which is as new to it as your series may be, it is {test['roc_auc']:.2f}"
        )
    yield "molecules unlike those that it was trained on, of which nothing was measured"
    if run.get("data", {}).get("conflicting"):
        yield f"more certainty than its labels have: {run['data']['conflicting']:,} molecules have labels that differ"
    if not run.get("licence"):
        yield "passing on without asking: nothing is known of the licence of its labels"


def _commands(summary: dict[str, Any]) -> Iterator[str]:
    name = _called(summary)
    yield f"exlm-chem predict {'--task' if name == summary['name'] else '--model'} {name} FILE -o predictions.csv"
    beside = ", ".join(f'"{column["name"]}": ...' for column in summary["task"].get("extra_columns", ()))
    more = f", extra={{{beside}}}" if beside else ""
    yield f'Predictor.from_pretrained("{name}").predict(["CCO"]{more})   # in Python'


def _called(summary: dict[str, Any]) -> str:
    """Give the name by which a model is found: of one that ships its own, otherwise its directory."""
    from exlm_chem import locations

    ships = summary["directory"] == str(locations.SHIPPED / summary["name"])
    return str(summary["name"] if ships else summary["directory"])


def _architecture(summary: dict[str, Any], config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "size", size_of(summary)
    yield "vectors", f"of length {config.get('hidden_size')}"
    yield "layers", f"{config.get('num_hidden_layers')}, {config.get('num_attention_heads')} heads"
    note = ": a longer molecule has a reason in its row instead of a vector" if summary["reads"] == "molecule" else ""
    yield "longest", f"{config.get('max_positions')} positions{note}"
    if config.get("num_states"):
        yield "states", f"{config['num_states']} for each masked token"


def _pretraining(training: dict[str, Any], reads: str) -> Iterator[tuple[str, str]]:
    corpus, last = training.get("corpus", {}), training.get("last_measurement") or {}
    options = training.get("options", {})
    if corpus:
        yield f"{reads}s", f"{corpus.get('training', 0):,} of {', '.join(corpus.get('files', []))}"
    if training.get("molecules_seen"):
        yield "shown", f"{training['molecules_seen']:,} {reads}s in {training.get('steps', 0):,} steps"
    if training.get("training_seconds"):
        yield "time", f"{training['training_seconds'] / 60:,.0f} minutes, {training.get('precision')}"
    if options.get("objective"):
        more = ", ".join(options.get("molecule_objectives", ()))
        yield "objective", f"{options['objective']}{f' and {more} of the whole molecule' if more else ''}"
    if last.get("validation_accuracy") is not None:
        yield "validation", f"{last['validation_accuracy']:.3f} of the masked tokens are right"


def size_of(summary: dict[str, Any]) -> str:
    """Say how large a model is."""
    return f"{summary['parameters'] / 1e6:.2f} M parameters, {summary['bytes'] / 1e6:.1f} MB"
