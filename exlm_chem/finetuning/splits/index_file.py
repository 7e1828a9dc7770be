"""By a file of indices: what a split was before, here or in another program."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.splits.split import PART_NAMES, Split, Splittable, given_split
from exlm_chem.tables.columns import find_column, has_column

SUFFIXES: Final = (".json", ".csv")

_HELP: Final = (
    "a JSON file says {train: [0, 1, ...], valid: [...], test: [...]}, a CSV file has the columns row and part"
)


class _Assigned(NamedTuple):
    row: int
    part: str
    fold: int
    where: str


def file_splits(data: Splittable, path: str | Path) -> list[Split]:
    """Split as a file says; it may hold several folds.

    Parameters
    ----------
    data : Splittable
        The molecules.
    path : path
        JSON: an object with the rows of ``train``, ``valid`` and ``test`` (such as our ``splits.json``), or a list of
        such objects, one for each fold (such as chemprop's). CSV: columns ``row`` and ``part``, and ``fold`` if there
        are several (such as our ``predictions.csv``). Rows are counted from 0, the header is not.

    Returns
    -------
    list of Split
        One for each fold; a molecule whose row is not in the file is in no part.

    Raises
    ------
    ExLMError
        If the file cannot be read, was made for another table, or does not fit to this one.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError):
        raise ExLMError(f"{path} cannot be read as a file of indices; {_HELP}") from None
    assigned = _from_json(data, path, text) if path.suffix.lower() == ".json" else _from_csv(path, text)
    known = data.table_rows if data.table_rows is not None else max(map(data.row, range(len(data))), default=-1) + 1
    folds: dict[int, dict[int, str]] = {}
    for one in assigned:
        if not 0 <= one.row < known:
            raise ExLMError(f"{one.where}: row {one.row} is not in {data.name}, whose rows are 0 to {known - 1}")
        if folds.setdefault(one.fold, {}).setdefault(one.row, one.part) != one.part:
            raise ExLMError(f"{one.where}: row {one.row} is in two parts; leave it in one")
    if not folds:
        raise ExLMError(f"{path} names no rows; {_HELP}")
    name, description = f"file {path.name}", f"rows as in the file {path.name}"
    # A row of the file that is not among the molecules was left out of them, and that has been said.
    return [
        given_split(data.smiles, [part_of.get(data.row(index)) for index in range(len(data))], name, description)
        for _, part_of in sorted(folds.items())
    ]


def _from_json(data: Splittable, path: Path, text: str) -> Iterator[_Assigned]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ExLMError(f"{path} is no valid JSON; {_HELP}") from None
    folds = content if isinstance(content, list) else [content]
    if not all(isinstance(one, dict) for one in folds):
        raise ExLMError(f"{path} holds no parts; {_HELP}")
    for number, fold in enumerate(folds):
        made_for = fold.get("data_sha256")
        if made_for and data.sha256 and made_for != data.sha256:
            raise ExLMError(f"{path} was made for another table than {data.name}: their hashes differ")
        for key, rows in fold.items():
            if (part := PART_NAMES.get(key.lower())) is not None:
                where = f"{path}, {quoted(key)}"
                yield from (_Assigned(row, part, number, where) for row in _rows(rows, where))


def _rows(rows: Any, where: str) -> Iterator[int]:
    """Give the numbers of a list, or of a text such as "0-3,7", which chemprop takes too."""
    for one in rows.split(",") if isinstance(rows, str) else rows if isinstance(rows, list) else [rows]:
        if isinstance(one, int) and not isinstance(one, bool):
            yield one
            continue
        first, _, last = str(one).strip().partition("-")
        if not (first.isdecimal() and (not last or last.isdecimal())):
            raise ExLMError(f"{where}: {quoted(one)} is no row; {_HELP}")
        yield from range(int(first), int(last or first) + 1)


def _from_csv(path: Path, text: str) -> Iterator[_Assigned]:
    reader = csv.reader(text.splitlines())
    header = next(reader, [])
    row_at, part_at = (find_column(header, name, str(path)) for name in ("row", "part"))
    fold_at = find_column(header, "fold", str(path)) if has_column(header, "fold") else None
    for line, cells in enumerate(reader, 2):
        if not cells:
            continue
        where = f"{path}, line {line}"
        if len(cells) != len(header):
            raise ExLMError(f"{where}: {len(cells)} cells, {len(header)} in the header")
        part = PART_NAMES.get(cells[part_at].strip().lower())
        if part is None:
            raise ExLMError(f"{where}: {quoted(cells[part_at])} is no part of a split; write train, valid or test")
        numbers = [cells[row_at].strip(), "0" if fold_at is None else cells[fold_at].strip() or "0"]
        for number in numbers:
            if not number.isdecimal():
                raise ExLMError(f"{where}: {quoted(number)} is no whole number; {_HELP}")
        yield _Assigned(int(numbers[0]), part, int(numbers[1]), where)
