"""DeepChem from a table to a score: load, featurize, split, model, evaluate; without network.

pip install 'exlm-chem[deepchem]'
python examples/deepchem_bbbp.py                      # 300 molecules of BBBP, a few minutes on a laptop
python examples/deepchem_bbbp.py BBBP.csv --epochs 5  # or any table with the columns smiles and p_np
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from exlm_chem import ExLMFeaturizer, ExLMModel

import deepchem as dc  # isort: skip  (the line above imports it without its noise)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TABLE = Path(__file__).parent.parent / "tests" / "data" / "bbbp_300.csv"


def main(table: Path = TABLE, encoder: str = "exlm-small", epochs: int = 3) -> dict[str, float]:
    """Compare a linear model on the frozen encoder's vectors with the encoder fine-tuned.

    Parameters
    ----------
    table : Path
        CSV with the columns ``smiles`` and ``p_np``; a molecule that cannot be read is dropped with its label.
    encoder : str
        Name of a model that ships, or a model directory.
    epochs : int
        Of fine-tuning.

    Returns
    -------
    dict of str to float
        ROC-AUC on the test part of a scaffold split.
    """
    metric = dc.metrics.Metric(dc.metrics.roc_auc_score)

    train, test = load(table, ExLMFeaturizer(encoder))
    linear = dc.models.SklearnModel(make_pipeline(StandardScaler(), LogisticRegression(C=0.01)))
    linear.fit(train)
    frozen = linear.evaluate(test, [metric])

    train, test = load(table, ExLMFeaturizer(encoder, output="smiles"))
    model = ExLMModel(n_tasks=1, mode="classification", model=encoder)
    model.fit(train, nb_epoch=epochs)
    tuned = model.evaluate(test, [metric])
    return {"linear model on vectors": frozen["roc_auc_score"], "fine-tuned": tuned["roc_auc_score"]}


def load(table: Path, featurizer: ExLMFeaturizer) -> tuple[Any, Any]:
    """Give the training and the test part of a scaffold split."""
    loader = dc.data.CSVLoader(["p_np"], featurizer, feature_field="smiles")
    train, _valid, test = dc.splits.ScaffoldSplitter().train_valid_test_split(loader.create_dataset(str(table)))
    return train, test


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, nargs="?", default=TABLE)
    parser.add_argument("--encoder", default="exlm-small")
    parser.add_argument("--epochs", type=int, default=3)
    for name, score in main(**vars(parser.parse_args())).items():
        print(f"{name}: ROC-AUC {score:.3f}")
