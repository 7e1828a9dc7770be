"""Proposals as a page for a browser: every one drawn, with what is new in it marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rdkit import Chem, rdBase

from exlm_chem.generation.infill import Proposal
from exlm_chem.generation.template import molecule_of
from exlm_chem.tables.results import Summary

if TYPE_CHECKING:  # templates, which only a report needs
    from exlm_chem.prediction.report.page import Report


@contextmanager
def open_fill_report(
    path: str | Path, described: Sequence[dict[str, str]], given: int, summary: Summary
) -> Iterator[Report]:
    """Open a page; it is written when all rows have been taken.

    Parameters
    ----------
    path : str or Path
        The page.
    described : sequence of dict
        What the columns mean.
    given : int
        How many of them are those of the input.
    summary : Summary
        Of the rows, complete at the end.
    """
    from exlm_chem.prediction.report.page import open_report

    with open_report(described, given, []) as report:
        yield report
        report.finish(path, "Proposals for masked places", str(summary))


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
