"""Molecules that keep RDKit busy, and others that only look as if they did."""

from __future__ import annotations

from typing import Any

from rdkit import Chem


def cyclophane(units: int, link: str = "C") -> str:
    """Rings of para-phenylenes: two ways of the same length around each."""
    return "C%99" + f"c2ccc(cc2){link}" * units + "%99"


def cycloparaphenylene(units: int) -> str:
    return "c%992ccc(cc2)" + "-c2ccc(cc2)" * (units - 1) + "%99"


def cyclodextrin(units: int) -> str:
    unit = "[C@H]2[C@H](O)[C@@H](O)[C@@H](O[C@@H]2CO)"
    return "O%99" + unit + ("O" + unit) * (units - 1) + "%99"


def bicyclooctanes(units: int) -> str:
    """Three ways of the same length around each unit."""
    return "C12%99CCC(CC1)(CC2)" + "C12CCC(CC1)(CC2)" * (units - 1) + "%99"


def calixarene(units: int) -> str:
    """Every second way is longer: no problem at all."""
    unit = "c2cc(C(C)(C)C)cc(c2O)"
    return "C%99" + unit + ("C" + unit) * (units - 1) + "%99"


HARD = {
    "cyclophane of 20": cyclophane(20),
    "cyclophane of 40": cyclophane(40, "OCC"),
    "cycloparaphenylene of 16": cycloparaphenylene(16),
    "cyclodextrin of 20": cyclodextrin(20),
    "cyclodextrin of 80": cyclodextrin(80),
    "bicyclooctanes, 20": bicyclooctanes(20),
    "two cyclophanes": f"{cyclophane(20)}.{cyclophane(20)}",
    "cyclophane with maps": cyclophane(20).replace("CC", "[CH2:1][CH2:2]"),
    "cyclophane, wrong valence": "FC(F)(F)(F)" + cyclophane(25),
}
EASY = {
    "alpha-cyclodextrin": cyclodextrin(6),
    "cyclophane of 6": cyclophane(6),
    "cycloparaphenylene of 8": cycloparaphenylene(8),
    "calixarene of 20": calixarene(20),
    "chain": "C" * 9999,
    "rings side by side": "C(c1ccccc1)" * 300 + "C",
    "peptide": "N[C@@H](Cc1ccccc1)C(=O)" * 200 + "O",
    "crown": "O%99CC" + "OCC" * 300 + "%99",
    "ions": ".".join(["[Na+]", "[Cl-]"] * 700),
}


def mol_block(smiles: str, version: int = 2000) -> str:
    """Write a molecule block without RDKit's writer, which looks for rings."""
    molecule: Any = Chem.MolFromSmiles(smiles, sanitize=False)
    atoms = [atom.GetSymbol() for atom in molecule.GetAtoms()]
    bonds = [
        (
            int(bond.GetBondTypeAsDouble()) if not bond.GetIsAromatic() else 4,
            bond.GetBeginAtomIdx() + 1,
            bond.GetEndAtomIdx() + 1,
        )
        for bond in molecule.GetBonds()
    ]
    if version == 2000:
        lines = [f"{len(atoms):3}{len(bonds):3}  0  0  0  0  0  0  0  0999 V2000"]
        lines += [f"    0.0000    0.0000    0.0000 {one:3} 0" + "  0" * 11 for one in atoms]
        lines += [f"{begin:3}{end:3}{order:3}  0" for order, begin, end in bonds]
    else:
        lines = ["  0  0  0     0  0            999 V3000", "M  V30 BEGIN CTAB"]
        lines += [f"M  V30 COUNTS {len(atoms)} {len(bonds)} 0 0 0", "M  V30 BEGIN ATOM"]
        lines += [f"M  V30 {number} {one} 0 0 0 0" for number, one in enumerate(atoms, 1)]
        lines += ["M  V30 END ATOM", "M  V30 BEGIN BOND"]
        lines += [f"M  V30 {number} {order} {begin} {end}" for number, (order, begin, end) in enumerate(bonds, 1)]
        lines += ["M  V30 END BOND", "M  V30 END CTAB"]
    return "\n".join(["", "  test", "", *lines, "M  END", ""])
