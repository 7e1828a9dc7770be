"""Claim: no molecule on which predictors are tested is in the corpus that the encoder that ships was pretrained on.

Molecules are the same here if the first blocks of their InChIKeys are, whatever their charges, isotopes and stereo, and
so are salts with one large fragment. Looked for are all molecules of the tables; of ``hiv`` and ``muv``, which the
corpus takes molecules from, those of the test part of DeepChem's scaffold split. ``FILE:N`` reads the first N lines.
Writes ``benchmarks/results/leaks.json``.

    python -m benchmarks.leaks ../shared/corpus/*.smi.gz --tables ../shared/moleculenet
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rdkit import Chem, rdBase

from benchmarks.writer import arguments, write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import read_task
from exlm_chem.predictors.registry import registered_tasks

_inchi_key: Any = Chem.MolToInchiKey  # without types
SHOWN: Final = 5
LARGE: Final = 5
"""Heavy atoms from which a fragment is a molecule of its own, and not the other half of a salt."""


def main() -> None:
    """Look for every molecule of the tables in every corpus and write the result."""
    parser = arguments("leaks", __doc__)
    parser.add_argument("corpora", nargs="+", help="files of SMILES, one a line; FILE:N for the first N lines")
    parser.add_argument("--tables", type=Path, required=True, help="folder with NAME.csv.gz for every task")
    parser.add_argument("--tasks", nargs="+", default=tuple(registered_tasks()))
    parser.add_argument(
        "--test-only", nargs="*", default=("hiv", "muv"), help="tables of which only the test part counts"
    )
    args = parser.parse_args()
    encoder = ExLM.from_pretrained("exlm-small")
    tables = {}
    for name in args.tasks:
        table = read_task(args.tables, name, encoder.read)
        smiles = [table.smiles[row] for row in table.split.test] if name in args.test_only else table.smiles
        tables[name] = {key: one for one in smiles for key in keys(one)}
        print(name, len(smiles), len(tables[name]), flush=True)
    wanted = set().union(*tables.values())
    corpora: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for corpus in args.corpora:
        path, lines = named(corpus)
        counts = {"lines": 0, "unreadable": 0}
        for smiles in read_lines(path, lines):
            counts["lines"] += 1
            found = keys(smiles)
            counts["unreadable"] += not found
            seen |= {key: smiles for key in found if key in wanted}
        corpora[path.name] = counts
        print(path.name, counts, len(seen), flush=True)
    results = {name: leaks(known, seen) for name, known in tables.items()}
    found_in_all = sum(one["found"] for one in results.values())
    write_result(args.output, {"corpora": corpora, "found": found_in_all, "results": results})


def named(text: str) -> tuple[Path, int | None]:
    """Take FILE:N apart."""
    path, colon, lines = text.rpartition(":")
    return (Path(path), int(lines)) if colon and lines.isdigit() else (Path(text), None)


def read_lines(path: Path, lines: int | None) -> Iterator[str]:
    """Give the SMILES of a file, the first word of every line."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for line in islice(file, lines):
            yield line.split(maxsplit=1)[0] if line.strip() else ""


def keys(smiles: str) -> set[str]:
    """Give the first block of the InChIKey of a molecule, and of its largest fragment; nothing if it has none."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles) if smiles else None
        if molecule is None:
            return set()
        forms = [molecule]
        if "." in smiles:
            largest = max(Chem.GetMolFrags(molecule, asMols=True), key=Chem.Mol.GetNumHeavyAtoms)
            forms += [largest] if largest.GetNumHeavyAtoms() >= LARGE else []
        return {key[:14] for form in forms if (key := _inchi_key(form))}


def leaks(known: dict[str, str], seen: dict[str, str]) -> dict[str, Any]:
    """Say how many molecules of a table were found."""
    found = sorted(known.keys() & seen.keys())
    examples = [{"table": known[key], "corpus": seen[key]} for key in found[:SHOWN]]
    return {"keys": len(known), "found": len(found), "examples": examples}


if __name__ == "__main__":
    main()
