"""Claim: the best proposal for three masked tokens of a real molecule is a molecule in more than nine of ten cases.

Masks the same random tokens of each molecule for all models and asks for proposals: the best ten by the sum over all
paths, and for every fifth molecule ten drawn ones. Measured of each: how many are valid, how many valid ones other than
the parent are different and not in a sample of a corpus, how different they are from each other and from the parent
(Tanimoto distance and similarity of ECFP4), how hard to make (SA score of RDKit's contributions, 1 easy to 10), how
often the best one is what stood there, and seconds of one core. Models that were measured before on the same molecules
stay. Writes ``benchmarks/results/fill.json``.

    python -m benchmarks.fill --molecules lipophilicity.csv.gz --corpus corpus.smi.gz --model exlm-small --model MLM
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rdkit import Chem, DataStructs, RDConfig
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator

from benchmarks.writer import ROOT, arguments, write_result
from exlm_chem.generation.infill import Infiller, Proposal
from exlm_chem.generation.options import FillOptions
from exlm_chem.generation.template import Template
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.smiles.molecule import canonical_smiles
from exlm_chem.storage import read_json
from exlm_chem.tables.reader import iter_smiles
from exlm_chem.tokenizer import ExLMTokenizer

LONGEST = 100  # tokens of a molecule
WAYS = {"best": FillOptions(number=10), "drawn": FillOptions(number=10, temperature=1.0)}
ECFP4 = GetMorganGenerator(radius=2, fpSize=2048)


def main() -> None:
    """Measure the models of the command line and write the result."""
    parser = arguments("fill", __doc__)
    parser.add_argument("--molecules", type=Path, default=ROOT / "data/zinc_20k.smi.gz", help="table")
    parser.add_argument("--corpus", type=Path, help="SMILES file whose molecules are not new")
    parser.add_argument("--model", action="append", help="name or directory; several times")
    parser.add_argument("--number", type=int, default=1000, help="of molecules")
    parser.add_argument("--masks", type=int, nargs="+", default=[1, 3, 6])
    args = parser.parse_args()
    torch.set_num_threads(1)

    parents = list(parents_of(args.molecules, args.number))
    known = set(parents_of(args.corpus, None)) if args.corpus else None
    models = {Path(name).name: measure(name, parents, args.masks, known) for name in args.model or ["exlm-small"]}
    facts = {"molecules": len(parents), "corpus_sample": None if known is None else len(known), "seed": 0}
    if args.output.is_file():
        earlier = read_json(args.output)
        if all(earlier[name] == value for name, value in facts.items()):
            models = {**earlier["models"], **models}
    write_result(args.output, {**facts, "seconds_for_100_valid": seconds_for_100(), "models": models})


def seconds_for_100() -> dict[str, float]:
    """Ask for 100 valid proposals for single masks, with the encoder that ships."""
    infiller = Infiller.from_pretrained("exlm-small", device="cpu")
    seconds = {}
    for text in ("c1ccc([MASK])cc1", "CC(=O)Oc1ccccc1C(=O)[MASK]", "CN1CCC[C@H]1c1ccc[MASK]c1"):
        start = time.perf_counter()
        proposals = infiller.fill(text, number=100, valid_only=True)
        seconds[f"{text}: {len(proposals)} proposals"] = round(time.perf_counter() - start, 3)
    return seconds


def parents_of(path: Path, number: int | None) -> Iterator[str]:
    """Give *the* texts of the first molecules that are not too long, in a random order."""
    smiles = [row.smiles for row in iter_smiles([path]) if row.error is None]
    if number is not None:
        np.random.default_rng(0).shuffle(smiles)
    tokenizer, found = ExLMTokenizer(), 0
    for one in smiles:
        try:
            text = canonical_smiles(one)
        except MoleculeError:
            continue
        if number is None or 8 <= len(tokenizer.tokenize(text)) <= LONGEST:
            yield text
            found += 1
        if found == number:
            return


def measure(name: str, parents: Sequence[str], counts: Sequence[int], known: set[str] | None) -> dict[str, Any]:
    """Measure one model."""
    infiller = Infiller.from_pretrained(name, device="cpu")
    config = infiller.model.config
    result: dict[str, Any] = {"objective": config.objective, "layers": config.num_hidden_layers}
    for count in counts:
        generator = np.random.default_rng(count)
        templates = [masked(parent, count, generator) for parent in parents]
        for way, options in WAYS.items():
            some = slice(None, None, 5 if options.drawn else 1)
            start = time.process_time()
            proposals = [infiller.fill(template, options) for template in templates[some]]
            seconds = (time.process_time() - start) / len(proposals)
            told = summary(parents[some], proposals, known)
            result[f"{count} masks, {way}"] = {**told, "seconds_per_molecule": round(seconds, 4)}
            print(name, count, way, result[f"{count} masks, {way}"], flush=True)
    return result


def masked(parent: str, count: int, generator: np.random.Generator) -> Template:
    """Mask random tokens of a molecule."""
    tokens: list[str | None] = [*ExLMTokenizer().tokenize(parent)]
    for place in generator.choice(len(tokens), min(count, len(tokens)), replace=False).tolist():
        tokens[place] = None
    return Template(tuple(tokens))


def summary(parents: Sequence[str], proposals: Sequence[list[Proposal]], known: set[str] | None) -> dict[str, float]:
    """Judge the proposals for all molecules."""
    accessibility = sa_scorer()
    everything = [one for some in proposals for one in some]
    valid = [[one.canonical for one in some if one.valid] for some in proposals]
    other = [[text for text in some if text != parent] for parent, some in zip(parents, valid, strict=True)]
    flat = [text for some in other for text in some]
    prints = [[fingerprint(text) for text in some] for some in other]
    own = [fingerprint(parent) for parent in parents]
    similar = [DataStructs.BulkTanimotoSimilarity(one, some) for one, some in zip(own, prints, strict=True) if some]
    numbers = {
        "best_valid": np.mean([some[0].valid for some in proposals]),
        "best_is_parent": np.mean([some[0].canonical == text for text, some in zip(parents, proposals, strict=True)]),
        "valid": len([one for one in everything if one.valid]) / len(everything),
        "unique": len(set(flat)) / max(len(flat), 1),
        "internal_diversity": np.mean([diversity(some) for some in prints if len(some) > 1]),
        "similarity_to_parent": np.mean([value for some in similar for value in some]),
        "sa_score": np.mean([accessibility(text) for text in flat[:: max(len(flat) // 3000, 1)]]),
        "sa_score_of_parents": np.mean([accessibility(text) for text in parents]),
    }
    if known is not None:
        numbers["novel"] = len(set(flat) - known) / max(len(set(flat)), 1)
    return {key: round(float(value), 4) for key, value in numbers.items()}


def fingerprint(text: str) -> Any:
    """Give the ECFP4 of a molecule."""
    return ECFP4.GetFingerprint(Chem.MolFromSmiles(text))


def diversity(prints: Sequence[Any]) -> float:
    """Give the mean distance of all pairs."""
    pairs = [
        1 - value
        for row in range(1, len(prints))
        for value in DataStructs.BulkTanimotoSimilarity(prints[row], prints[:row])
    ]
    return float(np.mean(pairs))


def sa_scorer() -> Any:
    """Load the SA score, which RDKit has among its contributions and not as a module."""
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    spec = importlib.util.spec_from_file_location("sascorer", path)
    if spec is None or spec.loader is None or not path.is_file():
        return lambda _: float("nan")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda text: module.calculateScore(Chem.MolFromSmiles(text))


if __name__ == "__main__":
    main()
