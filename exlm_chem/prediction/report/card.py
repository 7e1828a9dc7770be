"""The card of a model, its ``README.md``, as one page for a browser."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from exlm_chem import __version__
from exlm_chem.errors import ExLMError
from exlm_chem.locations import locate
from exlm_chem.storage import write_text

CARD_NAME: Final = "README.md"


def write_card(model: str | Path, path: str | Path) -> None:
    """Write the card of a model as a page without network: what it predicts, how good it is, and on what.

    Parameters
    ----------
    model : str or Path
        See `exlm_chem.locations.locate`.
    path : str or Path
        The page.

    Raises
    ------
    ExLMError
        If the model has no card.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_card("bbbp", Path(folder) / "card.html")
    ...     "<th>ROC-AUC</th>" in (Path(folder) / "card.html").read_text(encoding="utf-8")
    True
    """
    import jinja2

    directory = locate(model)
    card = directory / CARD_NAME
    if not card.is_file():
        raise ExLMError(f"{directory} has no card: {CARD_NAME} is missing; copy it again with all files")
    here = files(__package__)
    style, page = ((here / f"card.{end}").read_text("utf-8") for end in ("css", "html"))
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(page)
    title, body = _rendered(card.read_text(encoding="utf-8", errors="replace"))
    maker = f"Made by ExLM-chem {__version__} from {CARD_NAME}. Nothing on this page is loaded from elsewhere."
    write_text(Path(path), template.render(title=title or directory.name, style=style, body=body, maker=maker))


def _rendered(card: str) -> tuple[str, str]:
    """Give title and HTML of a card; HTML in it stays text, and pictures, which may be anywhere, are not shown."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = parser.parse(card)
    title = tokens[1].content if tokens and tokens[0].type == "heading_open" else ""
    return title, parser.renderer.render(tokens, parser.options, {})
