"""Draw up data/drugs.smi.gz, the approved drugs among which ``predict --reference drugs`` places a prediction.

They are drawn from the molecules of ClinTox with the label FDA_APPROVED. ClinTox writes many of them as salts or as
ions; here each is its uncharged parent, as molecules are mostly written where they are to be predicted.

    python data/make_drugs.py MOLECULENET_FOLDER/clintox.csv.gz data/drugs.smi.gz
"""

import argparse
import csv
import gzip
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from rdkit import Chem

from exlm_chem.smiles.molecule import read_molecule

FEWEST_ATOMS = 6
"""Heavy ones: acetic acid and urea are approved too, and nobody compares a candidate with them."""


def drugs(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    """Give the canonical SMILES of the drugs in a table, each once.

    Examples
    --------
    >>> approved = {"FDA_APPROVED": "1"}
    >>> rows = [{"smiles": "C[NH2+]CCc1ccccc1.[Cl-]", **approved}, {"smiles": "CNCCc1ccccc1", **approved}]
    >>> list(drugs([*rows, {"smiles": "CCO", **approved}, {"smiles": "CCCCCCC", "FDA_APPROVED": "0"}]))
    ['CNCCc1ccccc1']
    """
    seen = set()
    for row in rows:
        molecule = read_molecule(row["smiles"], "parent")
        if row["FDA_APPROVED"] != "1" or molecule.error is not None or molecule.smiles in seen:
            continue
        atoms = [atom.GetAtomicNum() for atom in Chem.MolFromSmiles(molecule.smiles).GetAtoms()]
        if len(atoms) >= FEWEST_ATOMS and 6 in atoms and 0 not in atoms:
            seen.add(molecule.smiles)
            yield molecule.smiles


def main() -> None:
    """Read the arguments and write; gzip without a time stamp, so that the same input gives the same bytes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clintox", type=Path, help="the table of ClinTox with the column smiles")
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", type=int, default=500, help="every prediction of a run waits for theirs")
    parser.add_argument("--seed", type=int, default=20_261_126)
    options = parser.parse_args()
    with gzip.open(options.clintox, "rt", encoding="utf-8", newline="") as lines:
        found = list(drugs(csv.DictReader(lines)))
    drawn = random.Random(options.seed).sample(found, options.count)
    text = "".join(f"{smiles}\n" for smiles in drawn)
    options.output.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{len(drawn)} of {len(found)} drugs, {options.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
