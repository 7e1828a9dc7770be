"""The page of a report, from rows as they come: they are put aside on the disk, so memory does not grow with them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from exlm_chem.prediction.report.drawing import HEIGHT, WIDTH, draw, packed
from exlm_chem.prediction.report.figures import Measured, figures
from exlm_chem.prediction.report.pages import page_cell, read_page, script_json, write_stream
from exlm_chem.predictors.transforms import transformed
from exlm_chem.tables.numbers import number_in
from exlm_chem.tables.parquet_writer import plain_value
from exlm_chem.tables.results import Rows

MOST_ROWS: Final = 20_000
"""Of a page; a browser becomes slow beyond. The table has all."""

GROUP: Final = 25
"""Rows whose drawings are packed together."""

_SHOWN: Final = 2
"""Columns of the input that are shown at first."""


class Report:
    """Takes rows and makes a page of them.

    Parameters
    ----------
    columns : sequence of dict
        What the columns mean, as `PredictionColumns.describe` gives it.
    given : int
        How many of them are those of the input.
    measured : sequence of Measured
        Predictions that are compared with measured values.
    spool : file
        Where rows are put aside.
    """

    def __init__(
        self, columns: Sequence[dict[str, str]], given: int, measured: Sequence[Measured], spool: IO[str]
    ) -> None:
        self._given, self._measured, self._spool = given, measured, spool
        self._columns = [
            {
                **column,
                "own": index >= given,
                "number": index >= given and column["type"] in ("float", "int"),
                "shown": index >= given or index < _SHOWN,
            }
            for index, column in enumerate(columns)
        ]
        self._pairs: list[list[tuple[float, float]]] = [[] for _ in measured]
        self._waiting: list[tuple[list[Any], str]] = []
        self._rows = self._drawn = 0

    def write(self, rows: Rows) -> None:
        """Take some rows."""
        for cells, molecule in zip(rows, rows.molecules, strict=True):
            self._rows += 1
            if self._rows > MOST_ROWS:
                continue
            for pairs, one in zip(self._pairs, self._measured, strict=True):
                pairs.append((_number(cells[one.label]), _number(cells[one.prediction])))
            own = [page_cell(cell) for cell in cells]
            self._waiting.append(([*map(_text, own[: self._given]), *own[self._given :]], molecule))
            if len(self._waiting) == GROUP:
                self._put_aside()

    def finish(self, path: str | Path, title: str, summary: str) -> None:
        """Write the page.

        Parameters
        ----------
        path : str or Path
            The page.
        title, summary : str
            What stands at its top.
        """
        self._put_aside()
        self._spool.seek(0)
        page = read_page(__package__, "page")
        warnings = []
        if self._rows > MOST_ROWS:
            warnings.append(f"Only the first {MOST_ROWS:,} of {self._rows:,} rows are on this page.")
        stream = page.template.stream(
            title=title,
            summary=summary,
            warnings=warnings,
            columns=self._columns,
            figures=self._figures(),
            about=script_json(self._about()),
            chunks=self._chunks(),
            **page.parts,
        )
        write_stream(stream, path)

    def _put_aside(self) -> None:
        if self._waiting:
            rows, molecules = zip(*self._waiting, strict=True)
            drawings = packed([draw(molecule) for molecule in molecules])
            self._spool.write(f"{script_json(list(rows))}\n{drawings}\n")
            self._waiting = []

    def _chunks(self) -> Iterator[tuple[str, str]]:
        while pair := [line.rstrip("\n") for line in islice(self._spool, 2)]:
            yield pair[0], pair[1]

    def _about(self) -> dict[str, Any]:
        numbers = [index for index, column in enumerate(self._columns) if column["number"]]
        return {
            "columns": self._columns,
            "error": len(self._columns) - 1,
            "first": numbers[0] if numbers else -1,
            "group": GROUP,
            "width": WIDTH,
            "height": HEIGHT,
        }

    def _figures(self) -> list[tuple[str, str]]:
        drawn = []
        for pairs, one in zip(self._pairs, self._measured, strict=True):
            labels, predictions = np.array(pairs, float).reshape(-1, 2).T
            drawn += figures(one.kind, one.name, transformed(labels, one.transform), predictions)
        return drawn


@contextmanager
def open_report(columns: Sequence[dict[str, str]], given: int, measured: Sequence[Measured]) -> Iterator[Report]:
    """Open a report; see `Report`."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as spool:
        yield Report(columns, given, measured, spool)


def _text(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, str) else str(cell)


def _number(cell: Any) -> float:
    try:
        return number_in(plain_value(cell))
    except ValueError:  # a measured value such as ">30" has no place in these pictures
        return float("nan")
