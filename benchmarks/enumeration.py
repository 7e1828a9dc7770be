r"""Claim: replacing a group by proposals of the model stands beside enumerating a library of fragments (crem).

From each of some real molecules one group is taken at random: 1 to 6 heavy atoms behind one single bond outside of
rings, which is what crem cuts. `exlm-small` puts 1 to 8 masks there and proposes ten; crem replaces the group, or parts
of it, by ten random fragments that some molecule of its library has in the same surroundings. Measured of each: how
many proposals there are, how many are molecules, different and not in the corpus that the model was trained on, how
different they are from each other and from the parent (as in `benchmarks/fill.py`), how hard to make, and seconds of
one core. Besides, how many of the proposals that are no molecules SELFIES could repair. Writes
``benchmarks/results/enumeration.json``.

crem is no dependency; put it into a folder of its own, and make a library of the molecules that ship (a quarter of an
hour of one core for 8,000):

    pip install --no-deps --target CREM crem
    zcat data/zinc_20k.smi.gz | head -8000 | awk '{print $1"\t"NR}' > library.smi
    PYTHONPATH=CREM CREM/bin/cremdb_create -i library.smi -o fragments.db -s corpus -r 1 3 --frag-mode acyclic \
        --mode 1 --max-heavy-atoms 8
    PYTHONPATH=CREM python -m benchmarks.enumeration --molecules lipophilicity.csv.gz --library fragments.db \
        --library-molecules 8000 --corpus corpus-00.smi.gz --corpus corpus-01.smi.gz
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rdkit import Chem, DataStructs

from benchmarks.fill import diversity, fingerprint, parents_of, sa_scorer
from benchmarks.writer import ROOT, arguments, write_result
from exlm_chem.errors import ExLMError
from exlm_chem.generation.infill import Infiller, Proposal
from exlm_chem.generation.options import FillOptions
from exlm_chem.generation.template import molecule_of
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.smiles.molecule import canonical_smiles

LARGEST = 6  # heavy atoms of a group
MASKS = (1, 8)
NUMBER = 10  # of proposals
CUT = Chem.MolFromSmarts("[!#1]!@!=!#[!#1]")
WAYS = {
    "best": FillOptions(number=NUMBER, span=MASKS, skip_parent=True),
    "best, valid only": FillOptions(number=NUMBER, span=MASKS, skip_parent=True, valid_only=True),
    "drawn, valid only": FillOptions(number=NUMBER, span=MASKS, skip_parent=True, valid_only=True, temperature=1.0),
}

Group = tuple[str, list[int]]
"""A molecule, and the atoms of it that are replaced."""


def main() -> None:
    """Measure model and library on the same groups and write the result."""
    parser = arguments("enumeration", __doc__)
    parser.add_argument("--molecules", type=Path, default=ROOT / "data/zinc_20k.smi.gz", help="table")
    parser.add_argument("--library", type=Path, required=True, help="fragments of crem")
    parser.add_argument("--library-molecules", type=int, required=True, help="that it was made of")
    parser.add_argument("--corpus", type=Path, action="append", required=True, help="SMILES that are not new")
    parser.add_argument("--number", type=int, default=300, help="of molecules")
    args = parser.parse_args()
    torch.set_num_threads(1)

    infiller = Infiller.from_pretrained("exlm-small", device="cpu")
    groups = list(groups_of(args.molecules, args.number, infiller))
    made: dict[str, list[list[str]]] = {}
    seconds: dict[str, float] = {}
    proposals: list[list[Proposal]] = []
    for way, options in WAYS.items():
        found, spent = timed(partial(proposed, infiller, options), groups)
        proposals = proposals or found
        made[f"exlm-small, {way}"] = [[one.canonical or one.smiles for one in some] for some in found]
        seconds[f"exlm-small, {way}"] = spent
    for radius in (3, 1):
        name = f"crem, radius {radius}"
        made[name], seconds[name] = timed(partial(enumerated, args.library, radius), groups)
    every = {text for rows in made.values() for row in rows for text in row}
    known = known_of(every, args.corpus)
    parents = [parent for parent, _ in groups]
    results = {
        name: judged(parents, rows, known) | {"seconds_per_molecule": round(seconds[name], 4)}
        for name, rows in made.items()
    }
    bad = [one.smiles for some in proposals for one in some if not one.valid]
    content = {
        "molecules": len(groups),
        "wanted": NUMBER,
        "library_molecules": args.library_molecules,
        "group_heavy_atoms": round(float(np.mean([len(atoms) for _, atoms in groups])), 2),
        "results": results,
        "no_molecules": {"number": len(bad), "repaired_by_selfies": sum(map(repaired, bad))},
    }
    write_result(args.output, content)


def groups_of(path: Path, number: int, infiller: Infiller) -> Iterable[Group]:
    """Give molecules with one of their groups, drawn from those that are one place of the text."""
    generator, found = np.random.default_rng(0), 0
    for parent in parents_of(path, 10 * number):
        groups = [atoms for atoms in _groups(parent) if _one_place(parent, atoms, infiller)]
        if groups:
            yield parent, groups[generator.integers(len(groups))]
            found += 1
        if found == number:
            return


def _groups(parent: str) -> list[list[int]]:
    """Give the small sides of all bonds that crem cuts."""
    molecule = molecule_of(parent)
    found = []
    for ends in molecule.GetSubstructMatches(CUT):
        cut = Chem.FragmentOnBonds(molecule, [molecule.GetBondBetweenAtoms(*ends).GetIdx()], addDummies=False)
        sides = sorted(Chem.GetMolFrags(cut), key=len)
        if len(sides) == 2 and len(sides[0]) <= LARGEST:
            found.append(sorted(sides[0]))
    return found


def _one_place(parent: str, atoms: Sequence[int], infiller: Infiller) -> bool:
    try:
        infiller.template(parent, FillOptions(mask_atoms=tuple(atoms))).spans(*MASKS)
    except ExLMError:
        return False
    return True


def timed(make: Callable[[Group], Any], groups: Sequence[Group]) -> tuple[list[Any], float]:
    """Give what is made of all groups, and CPU seconds for each."""
    start = time.process_time()
    made = [make(group) for group in groups]
    return made, (time.process_time() - start) / len(groups)


def proposed(infiller: Infiller, options: FillOptions, group: Group) -> list[Proposal]:
    """Ask the model."""
    return infiller.fill(group[0], options, mask_atoms=tuple(group[1]))


def enumerated(library: Path, radius: int, group: Group) -> list[str]:
    """Ask the library for replacements of up to as many more atoms as masks allow."""
    from crem.crem import mutate_mol

    texts = mutate_mol(
        Chem.MolFromSmiles(group[0]),
        str(library),
        radius=radius,
        min_size=1,
        max_size=LARGEST,
        min_inc=1 - LARGEST,
        max_inc=MASKS[1] - 1,
        replace_ids=group[1],
        max_replacements=NUMBER + 1,  # the parent may be among them
        seed=0,
    )
    return [one for one in dict.fromkeys(map(_text, texts)) if one != group[0]][:NUMBER]


def judged(parents: Sequence[str], rows: Sequence[list[str]], known: set[str]) -> dict[str, float]:
    """Judge proposals, some of which may be no molecules."""
    score = sa_scorer()
    valid = [[text for text in row if _text(text) == text] for row in rows]
    flat = [text for row in valid for text in row]
    prints = [[fingerprint(text) for text in row] for row in valid]
    own = [fingerprint(parent) for parent in parents]
    similar = [DataStructs.BulkTanimotoSimilarity(one, some) for one, some in zip(own, prints, strict=True) if some]
    numbers = {
        "proposals": np.mean([len(row) for row in rows]),
        "valid": len(flat) / sum(map(len, rows)),
        "unique": len(set(flat)) / len(flat),
        "novel": len(set(flat) - known) / len(set(flat)),
        "internal_diversity": np.mean([diversity(some) for some in prints if len(some) > 1]),
        "similarity_to_parent": np.mean([value for some in similar for value in some]),
        "sa_score": np.mean([score(text) for text in flat]),
        "sa_score_of_parents": np.mean([score(text) for text in parents]),
    }
    return {key: round(float(value), 4) for key, value in numbers.items()}


def known_of(texts: set[str], corpus: Sequence[Path]) -> set[str]:
    """Give those that stand in a corpus, whose lines are *the* texts of its molecules."""
    found = set()
    for path in corpus:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            found |= texts.intersection(line.rstrip("\n") for line in file)
    return found


def repaired(text: str) -> bool:
    """Tell whether SELFIES makes a molecule of a text that is none."""
    import selfies

    try:
        return bool(canonical_smiles(selfies.decoder(selfies.encoder(text, strict=False))))
    except Exception:  # noqa: BLE001  (EncoderError, and whatever Python raises for rings that cannot be)
        return False


def _text(smiles: str) -> str:
    try:
        return canonical_smiles(smiles)
    except MoleculeError:
        return ""


if __name__ == "__main__":
    main()
