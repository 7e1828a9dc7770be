"""The numbers that chemists look at first: weight, logP, polar surface, hydrogen bonds, QED."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Self

from rdkit import Chem
from rdkit.Chem import QED, Descriptors, rdMolDescriptors

from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.stage import Column, MoleculeStage


def _broken_rules(molecule: Any) -> int:
    return (
        int(Descriptors.MolWt(molecule) > 500)  # type: ignore[attr-defined]
        + int(rdMolDescriptors.CalcCrippenDescriptors(molecule)[0] > 5)
        + int(rdMolDescriptors.CalcNumLipinskiHBD(molecule) > 5)
        + int(rdMolDescriptors.CalcNumLipinskiHBA(molecule) > 10)
    )


DESCRIPTORS: Final[tuple[tuple[Column, Callable[[Any], Any]], ...]] = (
    (Column("mol_weight", "Molecular weight.", "g/mol"), Descriptors.MolWt),  # type: ignore[attr-defined]
    (
        Column("logp", "Partition coefficient of octanol and water, by Wildman and Crippen.", "log10"),
        lambda molecule: rdMolDescriptors.CalcCrippenDescriptors(molecule)[0],
    ),
    (Column("tpsa", "Topological polar surface, of N and O.", "A^2"), rdMolDescriptors.CalcTPSA),
    (Column("h_donors", "Donors of hydrogen bonds.", type=int), rdMolDescriptors.CalcNumHBD),
    (Column("h_acceptors", "Acceptors of hydrogen bonds.", type=int), rdMolDescriptors.CalcNumHBA),
    (Column("rotatable_bonds", "Rotatable bonds.", type=int), rdMolDescriptors.CalcNumRotatableBonds),
    (Column("rings", "Rings.", type=int), rdMolDescriptors.CalcNumRings),
    (Column("aromatic_rings", "Aromatic rings.", type=int), rdMolDescriptors.CalcNumAromaticRings),
    (Column("fraction_csp3", "Share of the carbon atoms that are sp3."), rdMolDescriptors.CalcFractionCSP3),
    (Column("heavy_atoms", "Atoms that are no hydrogen.", type=int), lambda molecule: molecule.GetNumHeavyAtoms()),
    (Column("charge", "Formal charge of the whole molecule.", type=int), Chem.GetFormalCharge),
    (Column("qed", "Drug-likeness by Bickerton et al. 2012, from 0 to 1."), QED.qed),
    (Column("lipinski_broken", "How many of Lipinski's four rules it breaks.", type=int), _broken_rules),
)
"""What is computed, and how."""


class DescriptorStage(MoleculeStage):
    """Descriptors of RDKit.

    Examples
    --------
    >>> stage = DescriptorStage()
    >>> values = stage.describe(Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O"))
    >>> dict(zip([column.name for column in stage.columns], values, strict=True))["tpsa"]
    63.6
    """

    columns = tuple(column for column, _ in DESCRIPTORS)

    @classmethod
    def make(cls, _background: Background, _settings: StageSettings) -> Self:
        """Make it."""
        return cls()

    def describe(self, molecule: Any) -> list[Any]:
        """See `MoleculeStage`."""
        return [_cell(column, function, molecule) for column, function in DESCRIPTORS]


def _cell(column: Column, function: Callable[[Any], Any], molecule: Any) -> Any:
    try:
        value = function(molecule)
    except (RuntimeError, ValueError, ArithmeticError):  # atoms without parameters; QED of a thousand ions
        return None
    return value if column.type is int else float(f"{value:z.5g}")
