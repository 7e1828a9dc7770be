"""``predictions.csv``: what a run predicted for every molecule of every fold, the one thing that is compared later."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.splits import PART_NAMES
from exlm_chem.storage import reason_of, write_text
from exlm_chem.tables.columns import find_column, has_column

if TYPE_CHECKING:
    import pandas as pd

PREDICTIONS_NAME: Final = "predictions.csv"

COLUMNS: Final = ("row", "part", "fold", "seed", "target", "y", "prediction")
"""Row of the table from 0, its part, number of the fold (repeats go on counting) and seed, column of the labels, label
(empty where unknown, ``>30`` for a limit; `finetune` writes known ones only), and the probability or value that was
predicted."""

_DEFAULTS: Final = {"part": "test", "fold": "0", "seed": "0", "target": "y"}
"""Of columns that a file of another program may lack."""


def predictions_table(
    rows: Sequence[int],
    targets: Sequence[str],
    labels: NDArray[Any],
    outputs: NDArray[Any],
    *,
    part: str,
    fold: int = 0,
    seed: int = 0,
    bounds: NDArray[Any] | None = None,
) -> pd.DataFrame:
    """Make the lines of one part of one fold.

    Parameters
    ----------
    rows : sequence of int
        Row of the table for every molecule.
    targets : sequence of str
        The columns of the labels.
    labels, outputs : arrays of shape (molecules, targets)
        What was measured (NaN where unknown), and what was predicted.
    part : {"train", "valid", "test"}
        Which molecules these are.
    fold, seed : int
        Of the training.
    bounds : int array of shape (molecules, targets), optional
        Which labels are limits; see `BoundedLabels`.

    Examples
    --------
    >>> table = predictions_table([4, 7], ["a"], np.array([[1.0], [0.0]]), np.array([[0.9], [0.2]]), part="test")
    >>> table.to_dict("list")["prediction"], list(table.columns)
    ([0.9, 0.2], ['row', 'part', 'fold', 'seed', 'target', 'y', 'prediction', 'bound'])
    """
    import pandas as pd

    count = len(targets)
    return pd.DataFrame(
        {
            "row": np.repeat(np.asarray(rows, dtype=np.int64), count),
            "part": part,
            "fold": fold,
            "seed": seed,
            "target": [target.encode("utf-8", "backslashreplace").decode() for target in targets] * len(rows),
            "y": np.asarray(labels, dtype=np.float64).ravel(),
            "prediction": np.asarray(outputs, dtype=np.float64).ravel(),
            "bound": 0 if bounds is None else np.asarray(bounds, dtype=np.int64).ravel(),
        }
    )


def write_predictions(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table of `predictions_table`, or several of them behind each other.

    Numbers have so many digits that they are read as they were.
    """
    signs = table["bound"].map({0: "", 1: ">", -1: "<"})
    texts = table["y"].map(lambda value: "" if math.isnan(value) else repr(float(value)))
    written = table.assign(y=signs.where(texts != "", "") + texts)[list(COLUMNS)]
    write_text(path, written.to_csv(index=False, lineterminator="\n"))


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Read ``predictions.csv``; the columns part, fold, seed and target may be missing.

    Parameters
    ----------
    path : path
        The file, or a directory in which it lies.

    Returns
    -------
    DataFrame
        The columns `COLUMNS` and ``bound`` (1 where the label is a lower limit, -1 an upper one, 0 a value).

    Raises
    ------
    ExLMError
        If it cannot be read or a cell is not what it should be, with its line.

    Examples
    --------
    >>> import tempfile
    >>> table = predictions_table([4], ["a"], np.array([[1.0]]), np.array([[0.9]]), part="test")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_predictions(f"{folder}/predictions.csv", table)
    ...     read_predictions(folder).equals(table)
    True
    """
    import pandas as pd

    path = Path(path)
    if path.is_dir():
        path /= PREDICTIONS_NAME
    try:
        text = path.read_text(encoding="utf-8-sig")
        given = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, skip_blank_lines=False)
    except OSError as error:
        raise ExLMError(f"{path} cannot be read: {reason_of(error)}; name a run, or a file of predictions") from None
    except ValueError as error:  # bytes that are no text, or lines that are no table
        raise ExLMError(f"{path} is no table of predictions: {str(error).strip()}") from None
    names = list(given.columns)
    cells: dict[str, list[str]] = {}
    for name in COLUMNS:
        if name in _DEFAULTS and not has_column(names, name):
            cells[name] = [_DEFAULTS[name]] * len(given)
        else:
            cells[name] = [str(cell).strip() for cell in given.iloc[:, find_column(names, name, str(path))]]
    y, bound = _labels(path, cells["y"])
    return pd.DataFrame(
        {
            "row": _numbers(path, "row", cells["row"], whole=True),
            "part": _parts(path, cells["part"]),
            "fold": _numbers(path, "fold", cells["fold"], whole=True),
            "seed": _numbers(path, "seed", cells["seed"], whole=True),
            "target": pd.Series(cells["target"], dtype=object).astype(str),
            "y": y,
            "prediction": _numbers(path, "prediction", cells["prediction"]),
            "bound": bound,
        }
    )


def _parts(path: Path, cells: list[str]) -> list[str]:
    for line, cell in enumerate(cells, 2):
        if cell.lower() not in PART_NAMES:
            raise ExLMError(f"{path}, line {line}: {quoted(cell)} is no part; write train, valid or test")
    return [PART_NAMES[cell.lower()] for cell in cells]


def _labels(path: Path, cells: list[str]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    signs = np.array([(cell[:1] == ">") * 1 - (cell[:1] == "<") * 1 for cell in cells], dtype=np.int64)
    values = [cell.lstrip("<>=").strip() or "nan" for cell in cells]
    return _numbers(path, "y", values, missing=True), signs


def _numbers(path: Path, column: str, cells: list[str], *, whole: bool = False, missing: bool = False) -> NDArray[Any]:
    numbers = []
    for line, cell in enumerate(cells, 2):
        try:
            number = int(cell) if whole else float(cell)
        except ValueError:
            number = math.inf
        if math.isinf(number) or (math.isnan(number) and not missing):
            kind = "whole number" if whole else "number"
            raise ExLMError(f"{path}, line {line}, column '{column}': {quoted(cell)} is no {kind}")
        numbers.append(number)
    return np.array(numbers, dtype=np.int64 if whole else np.float64)
