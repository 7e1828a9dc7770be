"""A molecule with its atoms coloured by what they contribute, one panel for each opinion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rdkit.Chem.Draw import rdMolDraw2D

PANEL: Final = (340, 300)
RAISES: Final = (0.20, 0.45, 0.85)
LOWERS: Final = (0.90, 0.35, 0.20)
"""Blue and orange-red, which people with a colour vision deficiency tell apart too."""

_FAINTEST: Final = 0.08


def picture(molecule: Any, opinions: Sequence[NDArray[np.float64]], legends: Sequence[str]) -> str:
    """Draw a molecule once for each opinion, as SVG.

    Parameters
    ----------
    molecule : RDKit Mol
        The molecule.
    opinions : sequence of arrays of shape (atoms,)
        Contributions from -1 to 1: blue raises, red lowers, the stronger the more.
    legends : sequence of str
        What stands under each.

    Examples
    --------
    >>> from rdkit import Chem
    >>> picture(Chem.MolFromSmiles("CCO"), [np.array([0.0, -0.5, 1.0])], ["one"]).count("<ellipse")
    2
    """
    drawer = rdMolDraw2D.MolDraw2DSVG(PANEL[0] * len(opinions), PANEL[1], *PANEL)
    options: Any = drawer.drawOptions()
    options.useBWAtomPalette()
    options.fillHighlights = True
    options.highlightRadius = 0.38
    options.legendFontSize = 14
    colours = [
        {atom: _colour(weight) for atom, weight in enumerate(weights.tolist()) if abs(weight) >= _FAINTEST}
        for weights in opinions
    ]
    drawn: Any = drawer
    drawn.DrawMolecules(
        [rdMolDraw2D.PrepareMolForDrawing(molecule)] * len(opinions),
        highlightAtoms=[list(one) for one in colours],
        highlightAtomColors=colours,
        highlightBonds=[[] for _ in colours],
        legends=list(legends),
    )
    drawer.FinishDrawing()
    return str(drawer.GetDrawingText())


def _colour(weight: float) -> tuple[float, float, float]:
    """Mix white with the colour of the sign."""
    share = min(abs(weight), 1.0)
    red, green, blue = RAISES if weight > 0 else LOWERS
    return 1 - share * (1 - red), 1 - share * (1 - green), 1 - share * (1 - blue)
