"""A table that makes a page of its rows too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exlm_chem.errors import ExLMError
from exlm_chem.storage import final_target, writable_target
from exlm_chem.tables.outputs import refuse_input
from exlm_chem.tables.results import Summary
from exlm_chem.tables.writers import OpenWriter, TableWriter

if TYPE_CHECKING:  # templates and drawings, which only a report needs
    from exlm_chem.prediction.report.figures import Measured
    from exlm_chem.prediction.report.page import Report


@dataclass(frozen=True)
class PageText:
    """What a page says besides the rows.

    Attributes
    ----------
    title : str
        What stands at its top.
    columns : list of dict
        What the columns mean.
    given : int
        How many of them are those of the input.
    measured : sequence of Measured
        Predictions that are compared with measured values.
    """

    title: str
    columns: list[dict[str, str]]
    given: int
    measured: Sequence[Measured] = ()


def with_page(
    opened: OpenWriter, page: str | None, text: Callable[[Sequence[str], str | None], PageText], summary: Summary
) -> OpenWriter:
    """Let the rows of a table make a page too.

    Parameters
    ----------
    opened : callable
        Opens the table.
    page : str or None
        The page; None for the table alone.
    text : callable
        Gives what the page says, for the columns of the table and its input.
    summary : Summary
        Of the rows, complete at the end.
    """
    if page is None:
        return opened
    from exlm_chem.prediction.report.page import open_report

    @contextmanager
    def open_both(
        output: str | None, names: Sequence[str], types: Sequence[Any] | None = None, source: str | None = None, /
    ) -> Iterator[TableWriter]:
        refuse_input(page, source)
        _refuse_page(page, output)
        said = text(names, source)
        with (
            opened(output, names, types, source) as writer,
            open_report(said.columns, said.given, said.measured) as report,
        ):
            yield _Both(writer, report)
            report.finish(page, said.title, str(summary))

    return open_both


def _refuse_page(page: str, output: str | None) -> None:
    """Refuse a page that could not be written in the end, when all else is computed."""
    if writable_target(page) == (None if output is None else final_target(output)):
        raise ExLMError(f"{page} is the table and cannot be the page too; choose another name")


@dataclass(frozen=True)
class _Both:
    """What takes the rows of a table twice."""

    first: TableWriter
    second: Report

    def write(self, rows: Any) -> None:
        self.first.write(rows)
        self.second.write(rows)
