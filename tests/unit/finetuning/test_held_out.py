"""Calibration and thresholds by molecules that were not learnt from."""

import numpy as np
import pytest

from exlm_chem.finetuning.held_out import judge_threshold
from exlm_chem.finetuning.metrics.classes import weighted_ece
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.run import finetune
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.predictors.task import OutputColumn


def test_columns_without_a_yes_or_without_labels():
    columns = tuple(OutputColumn(name, name, threshold=0.5) for name in "abc")
    held_out = np.array([[0.1, 0.9, np.nan], [0.2, np.nan, np.nan]])
    labels = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, np.nan]])
    judged = judge_threshold(held_out, labels, columns)
    assert judged["a"] | {"ece": None} == {
        "known": 2, "threshold": 0.5, "precision": None, "recall": 0.0, "ece": None
    }  # fmt: skip
    assert (judged["b"]["precision"], judged["b"]["known"]) == (1.0, 1)
    assert (judged["c"]["known"], judged["c"]["ece"]) == (0, None)


@pytest.mark.parametrize("calibrate", [True, False])
def test_what_is_kept_is_calibrated_as_the_predictions_are(tmp_path, tiny_model, calibrate):
    texts = [f"{'C' * n}{middle}{end}" for n in range(1, 14) for middle in ("", "C(C)") for end in ("O", "N", "F")]
    noisy = np.random.default_rng(0).random(len(texts)) < 0.3
    labels = [int(("N" in text) != flip) for text, flip in zip(texts, noisy, strict=True)]
    rows = "".join(f"{text},{label}\n" for text, label in zip(texts, labels, strict=True))
    (tmp_path / "in.csv").write_text(f"smiles,y\n{rows}")
    options = FinetuningOptions(
        targets=("y",), split="random", features=("ecfp",), head="kernel", model=str(tiny_model), calibrate=calibrate
    )
    result = finetune(tmp_path / "in.csv", tmp_path / "own", options)
    predictor = Predictor.from_pretrained(tmp_path / "own", "cpu")
    assert (predictor.head.name == "calibrated") == calibrate
    kept = predictor.training
    judged = result.task.metrics["out_of_fold"]["y"]
    train = ~np.isclose(kept.out_of_fold[:, 0], predictor.predict(kept.texts)["y"], atol=2e-3)
    outputs, known = kept.out_of_fold[train, 0].astype(float), kept.values[train, 0].astype(float)
    if calibrate:
        assert outputs.mean() == pytest.approx(known.mean(), abs=0.06)
    assert judged["ece"] == pytest.approx(float(weighted_ece(outputs, known, np.ones((1, len(known))))[0]), abs=0.05)


def test_labels_of_no_weight_have_no_part_in_probabilities(tmp_path, tiny_model):
    texts = [f"{'C' * n}{middle}{end}" for n in range(1, 14) for middle in ("", "C(C)") for end in ("O", "N", "F")]
    noisy = np.random.default_rng(0).random(len(texts)) < 0.3
    labels = [int(("N" in text) != flip) for text, flip in zip(texts, noisy, strict=True)]
    judged = []
    for wrong in (0, 1):  # written beside a weight of 0
        cells = [(wrong, 0) if n % 2 else (label, 1) for n, label in enumerate(labels)]
        rows = "".join(f"{text},{label},{weight}\n" for text, (label, weight) in zip(texts, cells, strict=True))
        (tmp_path / f"{wrong}.csv").write_text(f"smiles,y,w\n{rows}")
        options = FinetuningOptions(
            targets=("y",), split="random", features=("ecfp",), head="linear", model=str(tiny_model), weights="w"
        )
        result = finetune(tmp_path / f"{wrong}.csv", tmp_path / f"own{wrong}", options)
        judged.append(result.task.metrics["out_of_fold"]["y"])
        kept = Predictor.from_pretrained(result.directory, "cpu").training
        assert judged[-1]["known"] < len(kept) * 0.6
    assert judged[0] == judged[1]


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ("scaffold", "has seen neither it nor its scaffold."),
        ("group:day", "has seen neither it nor its group."),
        ("random", "has not seen it."),
        ("date:day", "has not seen it."),
    ],
)
def test_the_card_says_what_the_models_of_the_threshold_have_not_seen(tmp_path, tiny_model, split, said):
    # folds inside of the training part are of groups of --split: of scaffolds only where that is the split
    texts = [f"{'C' * n}{ring}{end}" for n in range(1, 9) for ring in ("C1CC1", "C1CCC1", "c1ccccc1") for end in "ON"]
    rows = "".join(f"{text},{int(text[-1] == 'N')},{2000 + n % 8}\n" for n, text in enumerate(texts))
    (tmp_path / "in.csv").write_text(f"smiles,y,day\n{rows}")
    options = FinetuningOptions(targets=("y",), split=split, features=("ecfp",), head="linear", model=str(tiny_model))
    finetune(tmp_path / "in.csv", tmp_path / "own", options)
    assert f"each predicted by a model that {said}" in (tmp_path / "own" / "README.md").read_text()
