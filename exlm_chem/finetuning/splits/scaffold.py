"""By scaffold: molecules with one framework stay together, as in DeepChem."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from exlm_chem.finetuning.splits.split import Split, pack
from exlm_chem.smiles.molecule import MoleculeError, scaffold


def scaffold_split(smiles: Sequence[str]) -> Split:
    """Split as DeepChem's ``ScaffoldSplitter`` does with its default arguments.

    The largest groups of molecules with one scaffold come first; what does not fit into the training part any more
    goes to validation, and what does not fit there to the test.

    Parameters
    ----------
    smiles : sequence of str
        SMILES of molecules, all of them readable.

    Examples
    --------
    >>> split = scaffold_split(["CC1CC1", "C1CC1", "CC", "c1ccccc1"])
    >>> split.train, split.valid, split.test
    ([0, 1, 3], [], [2])
    """
    scaffolds = [_scaffold_or_itself(one) for one in smiles]
    members: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(scaffolds):
        members[one].append(index)
    largest_first = sorted(members.values(), key=lambda group: (len(group), group[0]), reverse=True)
    description = (
        "DeepChem's ScaffoldSplitter, 80/10/10: Bemis-Murcko scaffolds without chirality, "
        "largest groups first, on RDKit-canonical SMILES"
    )
    # Molecules without rings have no scaffold in common: each is a group of its own when the training part is cut.
    groups = [one or molecule for one, molecule in zip(scaffolds, smiles, strict=True)]
    return Split("scaffold", description, *pack(largest_first, len(smiles)), groups)


def _scaffold_or_itself(smiles: str) -> str:
    try:
        return scaffold(smiles)
    except MoleculeError:  # RDKit needs too long for it, which happens to polymers and large rings
        return smiles
