"""Pictures of analyses: how they are begun and written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.storage import write_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")


def check_picture(path: str | Path) -> str:
    """Give the format of a picture's name.

    Raises
    ------
    ExLMError
        If there is no such format.

    Examples
    --------
    >>> check_picture("grid.png")
    'png'
    """
    form = Path(path).suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise ExLMError(f"{quoted(Path(path).name)} is no picture that can be drawn; call it .png, .svg or .pdf")
    return form


def new_figure(size: tuple[float, float]) -> Figure:
    """Make an empty figure; it needs no display."""
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure."""
    with write_file(Path(path)) as file:
        figure.savefig(file, format=check_picture(path), dpi=150)
