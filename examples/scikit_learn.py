"""scikit-learn with molecules: vectors beside fingerprints, a grid search, molecules that cannot be read.

python examples/scikit_learn.py                     # 300 molecules of BBBP
python examples/scikit_learn.py mine.csv --label y  # or any table with the column smiles and a label of 0 or 1
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from exlm_chem import ExLMTransformer
from exlm_chem.embedding.skip_invalid import SkipInvalid, SkippingScorer
from exlm_chem.features.ecfp import EcfpBlock

TABLE = Path(__file__).parent.parent / "tests" / "data" / "bbbp_300.csv"


def main(table: Path = TABLE, label: str = "p_np", encoder: str = "exlm-small") -> tuple[dict[str, Any], float]:
    """Choose features and a penalty by cross-validation, and judge the choice on other molecules.

    Parameters
    ----------
    table : Path
        CSV with the column ``smiles`` and a label.
    label : str
        Its column of 0 and 1.
    encoder : str
        Name of a model that ships, or a model directory.

    Returns
    -------
    dict, float
        What was chosen, and its ROC-AUC on the test molecules.
    """
    molecules = pd.read_csv(table)
    train, test = train_test_split(molecules, random_state=0, stratify=molecules[label])
    with tempfile.TemporaryDirectory() as folder:
        # each molecule is embedded once, and not once for every fold and setting
        vectors = ExLMTransformer(encoder, cache=Path(folder) / "vectors.sqlite")
        counts = FunctionTransformer(EcfpBlock(counts=True).compute)  # ECFP4, 2,048 numbers
        # a molecule that cannot be read is a row of NaN in both, which SkipInvalid leaves out
        features = make_union(vectors, counts)
        model = make_pipeline(features, StandardScaler(), SkipInvalid(LogisticRegression(max_iter=1000)))
        choices = {
            "featureunion__functiontransformer": [counts, "drop"],
            "skipinvalid__estimator__C": [0.0001, 0.01],
        }
        search = GridSearchCV(model, choices, scoring=SkippingScorer("roc_auc"), cv=3, error_score="raise")
        search.fit(train["smiles"], train[label])
        return search.best_params_, search.score(test["smiles"], test[label])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, nargs="?", default=TABLE)
    parser.add_argument("--label", default="p_np")
    parser.add_argument("--encoder", default="exlm-small")
    best, score = main(**vars(parser.parse_args()))
    print(f"ROC-AUC {score:.3f} with {best}")
