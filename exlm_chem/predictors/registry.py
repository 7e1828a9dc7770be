"""The registry of tasks, ``data/tasks.toml``, and files like it in which users write down tasks of their own."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, get_args

from exlm_chem.data import data_path
from exlm_chem.errors import ExLMError, printable, quoted
from exlm_chem.predictors.task import OutputColumn, PublicTable, Task, named_output, usual_output
from exlm_chem.storage.files import reason_of
from exlm_chem.storage.records import from_json, naming
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.terms import Kind, Transform

SUFFIX: Final = ".toml"
"""Of a file of tasks."""

_SHIPPED_REMEDY, _OWN_REMEDY = "restore it from a copy", "correct it"


@cache
def registered_tasks() -> dict[str, Task]:
    """Read the task registry.

    Examples
    --------
    >>> sorted(registered_tasks())[:4]
    ['bace', 'bbbp', 'clintox', 'esol']
    """
    return read_tasks(data_path("tasks.toml"), _SHIPPED_REMEDY)


def registered_task(name: str) -> Task:
    """Give a task by its name in the registry, or from a file of one's own.

    Parameters
    ----------
    name : str
        A name of the registry; a TOML file with one task; or a file with several and the one that is meant, as
        ``FILE.toml:NAME``.

    Raises
    ------
    ExLMError
        If there is none, or the file is wrong; the message says where.

    Examples
    --------
    >>> registered_task("esol").columns[0].unit
    'log10(mol/L)'
    """
    file, found, wanted = name.partition(f"{SUFFIX}:") if f"{SUFFIX}:" in name else (name, "", "")
    if found or name.lower().endswith(SUFFIX):
        return _own_task(Path(file + SUFFIX if found else file), wanted)
    tasks = registered_tasks()
    if name not in tasks:
        raise ExLMError(
            f"there is no task {quoted(name)}{_is_meant(name, tasks)}; the registered ones are {', '.join(tasks)}; "
            "or name a --target column, or a file of your own, such as my.toml"
        )
    return tasks[name]


def task_for_file(task: str | Task, data: str | Path, reading: ReadOptions | str | None = None) -> Task:
    """Give a task with the outputs that it has for a table: its own, or all columns of the table but the SMILES.

    Parameters
    ----------
    task : str or Task
        A task, or what `registered_task` takes.
    data : str or Path
        The table.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.

    Examples
    --------
    >>> from exlm_chem.data import data_path
    >>> task_for_file("toxcast", data_path("examples.csv")).targets
    ['name', 'formula', 'note']
    """
    known = registered_task(task) if isinstance(task, str) else task
    if known.columns:
        return known
    with MoleculeReader(Path(data), reading) as reader:
        return known.for_table(reader.columns, reader.smiles_index)


def read_tasks(path: str | Path, remedy: str = _OWN_REMEDY) -> dict[str, Task]:
    r"""Read a TOML file of tasks; see the top of ``data/tasks.toml`` for what may stand in it.

    Parameters
    ----------
    path : str or Path
        The file.
    remedy : str
        What the user can do about a file that is wrong.

    Returns
    -------
    dict
        The tasks by their names, in the order of the file.

    Raises
    ------
    ExLMError
        Names the file and the place in it, and says what is allowed there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "my.toml"
    ...     _ = file.write_text('[herg]\nkind = "classification"\ncolumns = [{target = "blocks hERG"}]\n')
    ...     read_tasks(file)["herg"].columns[0].meaning
    'Probability that blocks hERG is 1.'
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ExLMError(f"{path} cannot be read: {reason_of(error)}") from error
    except UnicodeDecodeError as error:
        raise ExLMError(f"{path} is no TOML: bytes that are no UTF-8 at position {error.start}; {remedy}") from None
    with naming(path, remedy):
        try:
            registry = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
            raise ExLMError(f"it is no TOML ({error or 'it is nested too deeply'})") from None
        return {name: _task(name, content) for name, content in registry.items()}


def _own_task(path: Path, name: str) -> Task:
    tasks = read_tasks(path)
    if name and name not in tasks:
        raise ExLMError(f"{path} has no task {quoted(name)}{_is_meant(name, tasks)}; it has {_listed(tasks)}")
    if not name and len(tasks) != 1:
        example = next(iter(tasks), "")
        remedy = f"say which one: {path}:{example}" if tasks else "begin one with a line such as [herg]"
        raise ExLMError(f"{path} has {_listed(tasks) or 'no task'}; {remedy}")
    return tasks[name or next(iter(tasks))]


def _task(name: str, content: Any) -> Task:
    """Make a task of what stands under its name, with what is usual filled in."""
    if not isinstance(content, dict):
        raise ExLMError(f"{quoted(name)} stands outside of a task; a task begins with a line such as [herg]")
    if not name.strip() or not name.isprintable() or any(sign in name for sign in "/\\:,"):
        raise ExLMError(f"{quoted(name)} cannot be the name of a task, since columns are called after it")
    try:
        return _filled(name, content)
    except ExLMError as error:  # which begins with the entry
        raise ExLMError(f"{name}.{error}") from None


def _filled(name: str, content: dict[str, Any]) -> Task:
    _refuse_unknown(content, Task, but="name")
    kind: Any = content.get("kind")
    columns = content.get("columns")
    if kind not in get_args(Kind):
        raise ExLMError(f"kind must be {' or '.join(get_args(Kind))}, not {quoted(kind)}")
    for entry, cls, but in (("every", OutputColumn, "target"), ("table", PublicTable, "")):
        if not isinstance(content.get(entry, {}), dict):
            raise ExLMError(f"{entry} must be written as [{name}.{entry}], with its entries in the lines below")
        _refuse_unknown(content.get(entry, {}), cls, f"{entry}.", but)
    if columns is not None and not isinstance(columns, list):
        raise ExLMError(f"columns must be written as [[{name}.columns]], with its entries in the lines below")
    usual_name = name if columns is not None and len(columns) == 1 else f"{name}_{{target}}"
    usual = partial(_usual, usual_name, kind, content.get("every", {}))
    known = {**content, "name": name, "every": None}
    if columns is None:
        return from_json(Task, {**known, "every": usual({})})
    return from_json(Task, {**known, "columns": [_output(index, one, usual) for index, one in enumerate(columns)]})


def _usual(name: str, kind: Kind, every: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Give what is not said of an output itself: what is said of every one, and what follows from its kind."""
    transform: Any = {**every, **given}.get("transform")
    known: Any = transform if transform in get_args(Transform) and kind == "regression" else "none"
    return {**dataclasses.asdict(usual_output(name, kind, transform=known)), **every}


def _output(index: int, given: Any, usual: Callable[[dict[str, Any]], dict[str, Any]]) -> OutputColumn:
    place = f"columns[{index}]"
    if not isinstance(given, dict) or "target" not in given:
        raise ExLMError(f'{place} must name the column of its labels, such as target = "IC50"')
    _refuse_unknown(given, OutputColumn, f"{place}.")
    output = from_json(OutputColumn, {**usual(given), **given}, place)
    return named_output(output, output.target)


def _refuse_unknown(given: dict[str, Any], cls: type, place: str = "", but: str = "") -> None:
    """Refuse an entry that nobody would read: it is a slip of the pen."""
    known = [field.name for field in dataclasses.fields(cls) if field.name != but]
    for entry in given:
        if entry not in known:
            raise ExLMError(
                f"{place}{printable(entry)} is no entry{_is_meant(entry, known)}; there may be {', '.join(known)}"
            )


def _is_meant(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f" (is {quoted(close[0])} meant?)" if close else ""


def _listed(tasks: dict[str, Task]) -> str:
    return f"{len(tasks)} tasks, {', '.join(tasks)}" if len(tasks) > 1 else ", ".join(tasks)
