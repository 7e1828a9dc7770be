"""Results that grow cell by cell: what is finished stays in the file, and the next start goes on from there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from exlm_chem.errors import ExLMError
from exlm_chem.machine import devices, versions
from exlm_chem.storage import json_text, read_json, write_json


class Cells:
    """The cells of a table, kept in a JSON file with the settings under which they were measured.

    Parameters
    ----------
    path : Path
        The file; made with the first cell.
    settings : dict
        What every cell depends on.

    Raises
    ------
    ExLMError
        If the file has other settings, or is no such file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "cells.json"
    ...     first = Cells(path, {"seed": 0}).get("a", lambda: {"loss": 0.5})
    ...     again = Cells(path, {"seed": 0}).get("a", lambda: {"loss": 9.9})  # it is known: nothing is computed
    >>> first == again
    True
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path, self.settings = path, settings
        self.cells: dict[str, dict[str, Any]] = {}
        if path.exists():
            saved = read_json(path, "choose another -o")
            if not isinstance(saved.get("cells"), dict):
                raise ExLMError(f"{path} holds no cells of an analysis; choose another -o.")
            if json_text(saved.get("settings")) != json_text(settings):
                raise ExLMError(
                    f"{path} was made with other settings or from other molecules; choose another -o, or remove it."
                )
            self.cells = saved["cells"]

    def get(self, name: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Give a cell, computed and saved now if it is not there yet."""
        if name not in self.cells:
            self.cells[name] = compute()
            content = {"settings": self.settings, "cells": self.cells, "machine": devices(), "versions": versions()}
            write_json(self.path, content)
        return self.cells[name]
