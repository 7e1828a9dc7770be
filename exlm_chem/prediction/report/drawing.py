"""Structures as small SVG pictures, packed for a page."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Sequence
from typing import Any, Final

from rdkit import Chem, rdBase
from rdkit.Chem.Draw import rdMolDraw2D

from exlm_chem.smiles.bounds import bounded
from exlm_chem.smiles.errors import MoleculeError

WIDTH: Final = 210
HEIGHT: Final = 140
MOST_ATOMS: Final = 150
"""Larger molecules are no picture of this size, and take seconds to lay out."""

_MARK: Final = (1.0, 0.86, 0.55)

_SPARE: Final = re.compile(r" class='[^']*'|<!-- END OF HEADER -->|<\?xml[^>]*\?>|\n")
_HEAD: Final = re.compile(r"<svg [^>]*>")
_PATH: Final = re.compile(r"<path d='([^']*)' style='([^']*)' */>")


def draw(text: str) -> str:
    """Draw a molecule as SVG; nothing if there is none, or one that is too large for a picture.

    Atoms with a map number are marked, and the numbers are not shown.

    Examples
    --------
    >>> draw("CCO")[:5], draw(""), draw("C" * 200)
    ('<svg ', '', '')
    >>> draw("CCO").count("ellipse"), draw("C[CH2:1][OH:1]").count("ellipse")
    (0, 2)
    """
    try:
        return str(bounded(_drawn, text)) if text else ""
    except MoleculeError:  # one that RDKit needs too long for
        return ""


def _drawn(text: str) -> str:
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(text)
        if molecule is None or not 0 < molecule.GetNumAtoms() <= MOST_ATOMS:
            return ""
        # Letters as text, and not as outlines: half the size.
        drawer = rdMolDraw2D.MolDraw2DSVG(WIDTH, HEIGHT, -1, -1, noFreetype=True)
        options: Any = drawer.drawOptions()
        options.clearBackground, options.bondLineWidth, options.padding = False, 1.2, 0.06
        options.fixedBondLength = 22
        options.fillHighlights, options.highlightRadius = True, 0.36
        marked = [atom.GetIdx() for atom in molecule.GetAtoms() if _clear_map(atom)]
        bonds = [bond.GetIdx() for bond in molecule.GetBonds() if {*_ends(bond)} <= {*marked}]
        try:
            rdMolDraw2D.PrepareAndDrawMolecule(
                drawer,
                molecule,
                highlightAtoms=marked,
                highlightBonds=bonds,
                highlightAtomColors=dict.fromkeys(marked, _MARK),
                highlightBondColors=dict.fromkeys(bonds, _MARK),
            )
        except (RuntimeError, ValueError):  # no layout
            return ""
    drawer.FinishDrawing()
    return _shortened(drawer.GetDrawingText())


def _clear_map(atom: Any) -> bool:
    """Take an atom's map number away, and tell whether there was one."""
    number = atom.GetAtomMapNum()
    atom.SetAtomMapNum(0)
    return bool(number)


def _ends(bond: Any) -> tuple[int, int]:
    return bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()


def _shortened(svg: str) -> str:
    """Say a drawing in a quarter of the letters: all lines of one style are one path."""
    svg = _HEAD.sub(f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}'>", _SPARE.sub("", svg))
    lines: dict[str, list[str]] = {}
    for path, style in _PATH.findall(svg):
        lines.setdefault(style, []).append(path)
    paths = (f"<path d='{' '.join(parts)}' style='{style}'/>" for style, parts in lines.items())
    return _PATH.sub("", svg).replace("</svg>", "".join(paths) + "</svg>")


def packed(drawings: Sequence[str]) -> str:
    """Pack drawings for a page: JSON, compressed as browsers can undo it, in base64.

    Examples
    --------
    >>> json.loads(zlib.decompress(base64.b64decode(packed(["<svg/>"]))))
    ['<svg/>']
    """
    return base64.b64encode(zlib.compress(json.dumps(list(drawings)).encode(), 9)).decode()
