"""A map of molecules as one page for a browser: structures where the pointer is, colours to choose, a search."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from exlm_chem.analysis.map_picture import OTHER, PALETTE, UNKNOWN
from exlm_chem.analysis.molecule_map import Colour, MoleculeMap
from exlm_chem.prediction.report.drawing import HEIGHT, WIDTH, draw, packed
from exlm_chem.prediction.report.page import GROUP
from exlm_chem.prediction.report.pages import page_cell, read_page, script_json, write_stream

_PACKAGE: Final = "exlm_chem.analysis"


def write_page(made: MoleculeMap, path: str | Path) -> None:
    """Write a map as a page without network.

    Parameters
    ----------
    made : MoleculeMap
        From `map_molecules`.
    path : str or Path
        The page: about half a kilobyte for each molecule, and what its row holds.
    """
    page = read_page(_PACKAGE, "map")
    summary = made.library.summary
    stream = page.template.stream(
        title=f"Map of {Path(made.library.name).name}",
        summary=str(summary),
        notes=summary.reading,
        about=script_json(_about(made)),
        chunks=_chunks(made),
        **page.parts,
    )
    write_stream(stream, path)


def _about(made: MoleculeMap) -> dict[str, Any]:
    middle = (made.points.max(0) + made.points.min(0)) / 2
    extent = float(np.ptp(made.points, axis=0).max()) or 1.0
    return {
        "columns": [{"name": name} for name in made.columns],
        "points": ((made.points - middle) / extent).astype(float).round(4).tolist(),
        "colours": [_colour(one) for one in made.colours],
        "palette": PALETTE,
        "other": OTHER,
        "unknown": UNKNOWN,
        "group": GROUP,
        "width": WIDTH,
        "height": HEIGHT,
    }


def _colour(colour: Colour) -> dict[str, Any]:
    values = [None if value is None else float(f"{value:.5g}") for value in colour.values]
    ends = [] if colour.groups else list(colour.ends)
    return {"name": colour.name, "values": values, "groups": colour.groups, "ends": ends}


def _chunks(made: MoleculeMap) -> Iterator[tuple[str, str]]:
    """Give the rows and the drawings of some molecules after the others."""
    smiles, cells = made.library.smiles, list(made.columns.values())
    for start in range(0, len(smiles), GROUP):
        part = range(start, min(start + GROUP, len(smiles)))
        rows = [[page_cell(column[row]) for column in cells] for row in part]
        yield script_json(rows), packed([draw(smiles[row]) for row in part])
