"""Draw data/zinc_20k.smi.gz from the training set of MOSES.

Molecules that occur in one of the MoleculeNet tables are left out (same RDKit canonical SMILES, stereo ignored), so
that a model pretrained on the sample has seen none of the molecules it is judged on.

    python data/make_zinc_sample.py MOSES/train.csv.gz MOLECULENET_FOLDER data/zinc_20k.smi.gz
"""

import argparse
import csv
import gzip
import random
from pathlib import Path

from rdkit import Chem, rdBase


def flat_smiles(smiles: str) -> str | None:
    """Give the canonical SMILES without stereo, or None where RDKit reads no molecule.

    Examples
    --------
    >>> flat_smiles("C[C@H](N)O")
    'CC(N)O'
    """
    molecule = Chem.MolFromSmiles(smiles)
    return None if molecule is None else Chem.MolToSmiles(molecule, isomericSmiles=False)


def molecules_of_tables(folder: Path) -> set[str | None]:
    """Collect the molecules in the ``smiles`` column of every ``*.csv.gz`` of a folder."""
    found: set[str | None] = set()
    for table in sorted(folder.glob("*.csv.gz")):
        with gzip.open(table, "rt", encoding="utf-8", newline="") as lines:
            found |= {flat_smiles(row["smiles"]) for row in csv.DictReader(lines)}
    return found


def draw(candidates: list[str], count: int, excluded: set[str | None], seed: int) -> list[str]:
    """Draw molecules without replacement, in random order, leaving out the excluded ones and repetitions.

    Examples
    --------
    >>> sorted(draw(["CCO", "CCN", "CCC"], count=2, excluded={"CCN"}, seed=0))
    ['CCC', 'CCO']
    """
    seen = set(excluded)
    drawn: list[str] = []
    for smiles in random.Random(seed).sample(candidates, len(candidates)):
        key = flat_smiles(smiles)
        if key is not None and key not in seen:
            seen.add(key)
            drawn.append(smiles)
        if len(drawn) == count:
            break
    return drawn


def main() -> None:
    """Read the arguments, draw, write; gzip without a time stamp, so that the same input gives the same bytes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("train", type=Path, help="train.csv.gz of MOSES (PyPI package molsets)")
    parser.add_argument("moleculenet", type=Path, help="folder of MoleculeNet tables, *.csv.gz with a column smiles")
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=20_260_101)
    options = parser.parse_args()
    rdBase.DisableLog("rdApp.*")  # the tables hold molecules that RDKit cannot read

    with gzip.open(options.train, "rt", encoding="utf-8") as lines:
        candidates = [row["SMILES"] for row in csv.DictReader(lines)]
    excluded = molecules_of_tables(options.moleculenet)
    drawn = draw(candidates, options.count, excluded, options.seed)
    text = "".join(f"{smiles}\n" for smiles in drawn)
    options.output.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(
        f"{len(drawn)} of {len(candidates)} molecules, {len(excluded)} excluded, {options.output.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
