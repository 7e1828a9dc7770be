"""Proposals as a page for a browser: every one drawn, with what is new in it marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdkit import Chem, rdBase

from exlm_chem.generation.infill import Proposal
from exlm_chem.generation.template import molecule_of

if TYPE_CHECKING:  # templates, which only a report needs
    pass


def marked_text(proposal: Proposal) -> str:
    """Write a proposal with map numbers at the atoms that are new, which a drawing marks; nothing if it is not valid.

    Examples
    --------
    >>> from exlm_chem.generation.template import Template
    >>> marked_text(Proposal(Template(("C", None, "O")), ("C",), 0.0, "CCO"))
    'C[CH2:1]O'
    """
    if not proposal.valid:
        return ""
    with rdBase.BlockLogs():
        molecule = molecule_of(proposal.smiles)
        for atom in proposal.changed_atoms:
            molecule.GetAtomWithIdx(atom).SetAtomMapNum(1)
        return str(Chem.MolToSmiles(molecule))
