"""Every head learns 32 real molecules by heart where nothing is held out; methods full and lora: see test_full.py."""

from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from exlm_chem.features.compute import compute_blocks
from exlm_chem.features.registry import make_blocks
from exlm_chem.heads.registry import HEADS, make_head
from exlm_chem.smiles.molecule import read_molecule

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def tables():
    """Features and labels of 16 molecules of each class, and of 32 with a number."""
    classes, numbers = pd.read_csv(DATA / "bbbp_300.csv"), pd.read_csv(DATA / "esol_150.csv", nrows=32)
    classes = classes[[read_molecule(text).error is None for text in classes["smiles"]]].groupby("p_np").head(16)
    blocks = make_blocks(["ecfp", "descriptors"])
    return {
        kind: (compute_blocks(table["smiles"].tolist(), blocks, processes=1), table[[column]].to_numpy(float))
        for kind, table, column in (
            ("classification", classes, "p_np"),
            ("regression", numbers, "measured log solubility in mols per litre"),
        )
    }


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("name", HEADS)
def test_real_molecules_are_memorised(name, kind, tables):
    features, labels = tables[kind]
    assert len(labels) == 32
    predicted = make_head(name).fit(features, labels, kind, ["one group"] * 32).predict(features)
    if kind == "classification":
        assert roc_auc_score(labels, predicted) == 1
    else:
        assert r2_score(labels, predicted) > 0.95
