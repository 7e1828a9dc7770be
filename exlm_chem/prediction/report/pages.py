"""What pages for a browser are made of: template, style and script in one file, data as JSON in a script."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exlm_chem import __version__
from exlm_chem.storage import json_text, write_file
from exlm_chem.tables.parquet_writer import plain_value

if TYPE_CHECKING:
    import jinja2

_IN_SCRIPT: Final = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}

_LONGEST: Final = 300


@dataclass(frozen=True)
class Page:
    """A kind of page.

    Attributes
    ----------
    template : jinja2.Template
        Takes what `parts` holds, and the values of one page.
    parts : dict of str to str
        ``style``, ``script`` and ``maker``.
    """

    template: jinja2.Template
    parts: dict[str, str]


def read_page(package: str, name: str) -> Page:
    """Read ``NAME.html``, ``NAME.css`` and ``NAME.js`` of a package, with what all pages share before the last two.

    Examples
    --------
    >>> sorted(read_page("exlm_chem.prediction.report", "page").parts)
    ['maker', 'script', 'style']
    """
    import jinja2  # only a page needs it

    here, shared = files(package), files(__package__)
    style, script = (
        (shared / f"parts.{end}").read_text("utf-8") + (here / f"{name}.{end}").read_text("utf-8")
        for end in ("css", "js")
    )
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    maker = f"Made by ExLM-chem {__version__}. Nothing on this page is loaded from elsewhere."
    template = environment.from_string((here / f"{name}.html").read_text("utf-8"))
    return Page(template, {"style": style, "script": script, "maker": maker})


def write_stream(parts: Iterable[str], path: str | Path) -> None:
    """Write a page as its template makes it."""
    with write_file(path) as file:
        for part in parts:
            file.write(part.encode("utf-8", "backslashreplace"))


def script_json(content: Any) -> str:
    r"""Write JSON that may stand in a script: no end of the script, no line end.

    Examples
    --------
    >>> print(script_json(["</script>"]))
    ["\u003c/script\u003e"]
    """
    return json_text(content).translate(_IN_SCRIPT)


def page_cell(cell: Any) -> Any:
    """Give a cell of a table for a page: a long text is shortened.

    Examples
    --------
    >>> page_cell(1.5), len(page_cell("C" * 1000))
    (1.5, 303)
    """
    value = plain_value(cell)
    return f"{value[:_LONGEST]}..." if isinstance(value, str) and len(value) > _LONGEST + 3 else value
