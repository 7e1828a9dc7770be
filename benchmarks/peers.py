"""Claim: `exlm-chem benchmark` reproduces the figures of peers that an independent script measured by this protocol.

DeepChem's scaffold split; peers learn from the training part alone, the validation part chooses hyper-parameters and
head, three seeds. Our value stands beside the earlier one for every table and kind of features, as does a support
vector machine. Adds to ``benchmarks/results/peers.json`` what is not there yet.

    python -m benchmarks.peers ../shared/moleculenet --cache runs/features
"""

from __future__ import annotations

import json
from typing import Any, Final

from benchmarks.tables import features_of, table_arguments
from benchmarks.writer import write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import Measured, read_task
from exlm_chem.evaluation.peers.heads import PEER_HEADS
from exlm_chem.evaluation.peers.registry import learning_peer, parse_features
from exlm_chem.evaluation.protocol import Features, try_features

HEADS: Final = ("plain-linear", "forest", "plain-boosting")
SVM: Final = "plain-svm"
FEATURES: Final = ("ecfp", "descriptors", "ecfp+descriptors")

EARLIER: Final[dict[str, dict[str, tuple[float, float, str, float]]]] = {
    "bbbp": {
        "ecfp": (0.705, 0.002, "forest", 0.980),
        "descriptors": (0.746, 0.003, "forest", 0.980),
        "ecfp+descriptors": (0.743, 0.010, "forest", 0.984),
        "minimol": (0.724, 0.013, "network", 0.982),
    },
    "bace": {
        "ecfp": (0.788, 0, "plain-linear", 0.769),
        "descriptors": (0.795, 0.005, "forest", 0.697),
        "ecfp+descriptors": (0.737, 0, "plain-linear", 0.769),
        "minimol": (0.806, 0.010, "network", 0.786),
    },
    "clintox": {
        "ecfp": (0.877, 0.013, "plain-boosting", 0.933),
        "descriptors": (0.891, 0.003, "plain-boosting", 0.934),
        "ecfp+descriptors": (0.882, 0.007, "plain-boosting", 0.941),
        "minimol": (0.753, 0, "plain-linear", 0.898),
    },
    "sider": {
        "ecfp": (0.644, 0.002, "plain-boosting", 0.619),
        "descriptors": (0.679, 0.005, "plain-boosting", 0.609),
        "ecfp+descriptors": (0.675, 0.004, "plain-boosting", 0.616),
        "minimol": (0.629, 0.011, "network", 0.608),
    },
    "tox21": {
        "ecfp": (0.748, 0.001, "plain-boosting", 0.783),
        "descriptors": (0.767, 0.003, "plain-boosting", 0.792),
        "ecfp+descriptors": (0.774, 0.004, "plain-boosting", 0.795),
        "minimol": (0.826, 0.009, "network", 0.862),
    },
    "esol": {
        "ecfp": (1.046, 0.023, "plain-boosting", 1.028),
        "descriptors": (0.752, 0, "plain-linear", 0.882),
        "ecfp+descriptors": (0.804, 0, "plain-linear", 0.845),
        "minimol": (0.952, 0.033, "network", 0.822),
    },
    "freesolv": {
        "ecfp": (3.618, 0, "plain-linear", 5.136),
        "descriptors": (2.566, 0, "plain-linear", 2.204),
        "ecfp+descriptors": (2.282, 0, "plain-linear", 2.401),
        "minimol": (2.241, 0, "plain-linear", 2.247),
    },
    "lipophilicity": {
        "ecfp": (0.738, 0.001, "plain-boosting", 0.794),
        "descriptors": (0.706, 0.009, "plain-boosting", 0.760),
        "ecfp+descriptors": (0.690, 0.003, "plain-boosting", 0.732),
        "minimol": (0.656, 0.002, "network", 0.683),
    },
}
"""Test, its standard deviation over seeds, the head that validation chose, and its value there."""


def main() -> None:
    """Try every kind of features on every table and write the result."""
    parser = table_arguments("peers", __doc__)
    parser.add_argument("--features", nargs="+", default=FEATURES)
    parser.add_argument("--heads", nargs="+", default=HEADS, help="to choose from")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--no-svm", dest="svm", action="store_false", help="leave the support vector machine out")
    args = parser.parse_args()
    encoder = ExLM.from_pretrained(args.model)
    results = json.loads(args.output.read_text(encoding="utf-8"))["results"] if args.output.exists() else {}
    for name in args.tasks:
        table = read_task(args.tables, name, encoder.read)
        for kind in args.features:
            if kind in results.get(name, {}):
                continue
            features = features_of(name, table.smiles, parse_features(kind), encoder, args.cache)
            cell = judge(kind, features, table, args.heads, range(args.seeds))
            if args.svm and learning_peer(features) is None and table.labels.shape[1] <= 2 and len(table.smiles) < 3000:
                cell["support vector machine"] = judge(kind, features, table, [SVM], [0])
            results.setdefault(name, {})[kind] = cell
            write_result(args.output, {"results": results, "split": table.split.description})


def judge(kind: str, features: Features, table: Measured, heads: list[str], seeds: range | list[int]) -> dict[str, Any]:
    """Choose a head by validation and give it the test part, beside the earlier figure where there is one."""
    trial = try_features(kind, features, table, heads, seeds, "valid")
    found: dict[str, Any] = {"metric": table.metric, "test": trial.test, "sd": trial.sd, "interval": trial.interval}
    found |= {"seeds": len(seeds), "head": trial.head, "valid": trial.score, "valid of all heads": trial.chosen_by}
    earlier = EARLIER.get(table.name, {}).get(kind)
    if earlier is not None and heads != [SVM] and trial.test is not None:
        test, sd, head, valid = earlier
        found["earlier"] = {"test": test, "sd": sd, "head": head, "valid": valid}
        found["difference"] = trial.test - test
        if trial.head != head and head in PEER_HEADS:  # what the same head gives: was it the choice, or the head?
            found["with the earlier head"] = try_features(kind, features, table, [head], seeds, "valid").test
    return found


if __name__ == "__main__":
    main()
