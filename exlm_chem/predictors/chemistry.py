"""What kinds of molecules a set holds: their elements, sizes and charges; and what of a molecule is new to the set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from rdkit import Chem, rdBase

from exlm_chem.storage.records import check_fields, from_json


@dataclass(frozen=True, slots=True)
class Chemistry:
    """Elements, sizes and charges of a set of molecules.

    Examples
    --------
    >>> seen = Chemistry.of(map(Chem.MolFromSmiles, ["CCO", "CC(=O)[O-]"]))
    >>> seen
    Chemistry(elements=('C', 'O'), fewest_atoms=3, most_atoms=4, charges=(-1, 0))
    >>> seen.unseen(Chem.MolFromSmiles("[NH3+]CCCCC"))
    ['element N', 'charge +1', '6 heavy atoms']
    """

    elements: tuple[str, ...] = ()
    """Symbols, in alphabetical order."""
    fewest_atoms: int = 0
    """Heavy atoms of the smallest molecule."""
    most_atoms: int = 0
    """Heavy atoms of the largest one."""
    charges: tuple[int, ...] = ()
    """Charges of whole molecules."""

    def __post_init__(self) -> None:
        check_fields(self)

    @classmethod
    def of(cls, molecules: Iterable[Any]) -> Chemistry:
        """Look at RDKit molecules."""
        elements, sizes, charges = set[str](), set[int](), set[int]()
        for molecule in molecules:
            elements |= _elements(molecule)
            sizes.add(molecule.GetNumHeavyAtoms())
            charges.add(Chem.GetFormalCharge(molecule))
        return cls(tuple(sorted(elements)), min(sizes, default=0), max(sizes, default=0), tuple(sorted(charges)))

    @classmethod
    def from_json(cls, content: object) -> Chemistry:
        """Read what `to_json` said."""
        return from_json(cls, content, "chemistry")

    def to_json(self) -> dict[str, Any]:
        """Say it in JSON."""
        return asdict(self)

    def unseen(self, molecule: Any) -> list[str]:
        """Name what of an RDKit molecule no molecule of the set has; nothing if there is no such thing."""
        new = self.unseen_kinds(molecule)
        size = molecule.GetNumHeavyAtoms()
        if not self.fewest_atoms <= size <= self.most_atoms:
            new.append(f"{size} heavy atoms")
        return new

    def unseen_kinds(self, molecule: Any) -> list[str]:
        """Name its elements and its charge, as far as they are new."""
        new = [f"element {symbol}" for symbol in sorted(_elements(molecule) - set(self.elements))]
        charge = Chem.GetFormalCharge(molecule)
        if charge not in self.charges:
            new.append(f"charge {charge:+d}")
        return new


def graph_of(text: str, molecule: Any) -> Any:
    """Give an RDKit molecule back; where it was not made because it may take minutes, make it without its rings.

    Examples
    --------
    >>> graph_of("CCO", None).GetNumAtoms(), graph_of("", None)
    (3, None)
    """
    if molecule is not None or not text:
        return molecule
    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(text, sanitize=False)


def without_stereo(text: str, molecule: Any) -> str:
    """Give the canonical SMILES of a molecule without its stereo; `text` is *the* text of it.

    Examples
    --------
    >>> without_stereo("C[C@H](N)O", Chem.MolFromSmiles("C[C@H](N)O")), without_stereo("CCO", None)
    ('CC(N)O', 'CCO')
    """
    if not any(mark in text for mark in "@/\\"):
        return text
    flat = Chem.Mol(molecule)
    Chem.RemoveStereochemistry(flat)
    return str(Chem.MolToSmiles(flat))


def _elements(molecule: Any) -> set[str]:
    return {atom.GetSymbol() for atom in molecule.GetAtoms()}
