"""What scripts that judge heads share: the tables of tasks, and their features, which may be kept between runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.writer import arguments
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.peers.registry import PEERS, compute_features
from exlm_chem.features.registry import make_blocks

EIGHT = ("freesolv", "esol", "bace", "bbbp", "clintox", "sider", "lipophilicity", "tox21")
"""The tables for which figures of others are known, the quickest first."""

Features = dict[str, NDArray[np.float32]]


def table_arguments(name: str, description: str | None, tasks: Sequence[str] = EIGHT) -> argparse.ArgumentParser:
    """Make the parser of a script that reads tables."""
    parser = arguments(name, description)
    parser.add_argument("tables", type=Path, help="folder with NAME.csv.gz for every task of data/tasks.toml")
    parser.add_argument("--model", default="exlm-small", help="name or directory of an encoder")
    parser.add_argument("--tasks", nargs="+", default=tasks)
    parser.add_argument("--cache", type=Path, help="folder in which features are kept for the next run")
    return parser


def features_of(name: str, smiles: Sequence[str], blocks: Sequence[str], encoder: ExLM, cache: Path | None) -> Features:
    """Compute blocks of features, or take those that an earlier run kept."""
    features = {}
    for block in blocks:
        mark = "peer" if block in PEERS else make_blocks([block], encoder)[0].fingerprint[:16]
        path = None if cache is None else cache / f"{name}-{block}-{mark}.npz"
        kept = np.load(path) if path is not None and path.is_file() else None
        if kept is not None and kept["smiles"].tolist() == list(smiles):
            features[block] = kept["values"]
            continue
        features |= compute_features([block], smiles, encoder)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, smiles=np.array(smiles), values=features[block])
    return features
