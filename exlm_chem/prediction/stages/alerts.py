"""Structural alerts: substructures that others warn of. Flags, never a filter.

References
----------
PAINS: Baell and Holloway, J. Med. Chem. 53 (2010) 2719. BRENK: Brenk et al., ChemMedChem 3 (2008) 435.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, Self

from rdkit.Chem import FilterCatalog

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.stage import Column, MoleculeStage
from exlm_chem.terms import AlertList

ALERTS: Final[dict[AlertList, str]] = {
    "pains": "known to interfere with assays (PAINS, Baell and Holloway 2010)",
    "brenk": "unwanted in a screening library (Brenk et al. 2008)",
    "nih": "reactive or promiscuous (NIH MLSMR)",
    "zinc": "unwanted (ZINC)",
}
"""RDKit's lists, and what they warn of."""


class AlertStage(MoleculeStage):
    """The names of the alerts that a molecule has.

    Parameters
    ----------
    lists : sequence of str
        Of `ALERTS`.

    Examples
    --------
    >>> from rdkit import Chem
    >>> AlertStage(["pains", "brenk"]).describe(Chem.MolFromSmiles("Oc1ccccc1O"))
    ['catechol_A(92)', 'catechol']
    """

    def __init__(self, lists: Sequence[AlertList]) -> None:
        for name in lists:
            if name not in ALERTS:
                raise ExLMError(f"there is no list of alerts {quoted(name)}; use {', '.join(ALERTS)}")
        self._lists = list(lists)
        self.settings = (self._lists,)
        self.columns = [
            Column(f"alerts_{name}", f"Substructures that are {ALERTS[name]}; empty if there is none.", type=str)
            for name in lists
        ]

    @classmethod
    def make(cls, _background: Background, settings: StageSettings) -> Self:
        """Make it for the lists that were chosen."""
        return cls(settings.alerts)

    def describe(self, molecule: Any) -> list[Any]:
        """See `MoleculeStage`."""
        return ["; ".join(_matches(name, molecule)) for name in self._lists]


def _matches(name: str, molecule: Any) -> list[str]:
    return [match.GetDescription() for match in _catalog(name).GetMatches(molecule)]


@cache
def _catalog(name: str) -> Any:
    parameters = FilterCatalog.FilterCatalogParams()
    parameters.AddCatalog(getattr(FilterCatalog.FilterCatalogParams.FilterCatalogs, name.upper()))
    return FilterCatalog.FilterCatalog(parameters)
