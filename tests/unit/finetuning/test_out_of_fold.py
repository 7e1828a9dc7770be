"""Predictions out of fold: nobody is predicted by a model that knows its group."""

from __future__ import annotations

import json

import numpy as np
import pytest

from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.out_of_fold import out_of_fold
from exlm_chem.finetuning.run import finetune
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.predictors.training_file import TRAINING_NAME
from exlm_chem.smiles.molecule import canonical_smiles


def test_no_model_has_seen_the_group_of_what_it_predicts() -> None:
    groups = [f"scaffold {number % 7}" for number in range(40)]
    labels = np.random.default_rng(0).normal(size=(40, 2))
    seen: list[int] = []

    def fit_predict(train, held_out, columns):
        assert not {groups[one] for one in train} & {groups[one] for one in held_out}
        seen.extend(held_out)
        return np.repeat(held_out[:, None], len(columns), axis=1)

    predictions = out_of_fold(fit_predict, labels, groups)
    assert sorted(seen) == list(range(40))
    assert predictions[:, 1].tolist() == list(range(40))


def test_the_seed_decides() -> None:
    groups, labels = list(range(40)), np.zeros((40, 1))

    def folds(seed):
        return out_of_fold(lambda train, held_out, _: np.full((len(held_out), 1), train.sum()), labels, groups, seed)

    np.testing.assert_array_equal(folds(1), folds(1))
    assert (folds(1) != folds(2)).any()


def test_a_column_that_cannot_be_learnt_is_unknown() -> None:
    labels = np.full((10, 2), np.nan)
    labels[:, 0] = 1.0
    labels[3, 1] = 1.0

    def fit_predict(train, held_out, columns):
        assert not np.isnan(labels[np.ix_(train, columns)]).all(0).any()
        return np.ones((len(held_out), len(columns)))

    predictions = out_of_fold(fit_predict, labels, list(range(10)))
    assert (predictions[:, 0] == 1).all()
    assert np.isnan(predictions[3, 1])
    assert (~np.isnan(predictions[:, 1])).sum() >= 6


def test_one_group_and_no_molecules() -> None:
    def never(*_):
        raise AssertionError

    assert np.isnan(out_of_fold(never, np.zeros((4, 1)), ["same"] * 4)).all()
    assert out_of_fold(never, np.zeros((0, 3)), []).shape == (0, 3)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_predictor_keeps_what_it_was_made_from(kind, tmp_path) -> None:
    texts = ["C" * n + end for n in range(1, 12) for end in ("O", "N", "c1ccccc1", "C1CCCCC1")]
    rows = [f"{text},{int('N' in text) if kind == 'classification' else len(text) + 0.5}" for text in texts]
    (tmp_path / "in.csv").write_text("smiles,y\n" + "\n".join(rows) + "\n")
    options = FinetuningOptions(targets=("y",), device="cpu", split="random", features=("exlm",), head="linear")
    result = finetune(tmp_path / "in.csv", tmp_path / "own", options, labels=LabelOptions(kind=kind))
    parts = json.loads((tmp_path / "own" / "splits.json").read_text())
    predictor = Predictor.from_pretrained(tmp_path / "own", "cpu")
    kept = predictor.training
    rows_kept = sorted(parts["train"] + parts["valid"])
    assert kept.texts == [canonical_smiles(texts[row]) for row in rows_kept]
    assert not set(kept.texts) & {canonical_smiles(texts[row]) for row in parts["test"]}
    assert not np.isnan(kept.out_of_fold).any()
    assert len(kept.vectors) == len(kept)
    held_out = np.isin(rows_kept, parts["valid"])
    said = predictor.predict(kept.texts)["y"].to_numpy()
    np.testing.assert_allclose(kept.out_of_fold[held_out, 0], said[held_out], rtol=1e-3)
    assert (kept.out_of_fold[~held_out, 0] != said[~held_out].astype(np.float16)).mean() > 0.5
    assert "`own_in_domain`" in (tmp_path / "own" / "README.md").read_text()
    assert result.task.training is not None


def test_molecules_that_are_secret_are_not_kept(tmp_path) -> None:
    texts = ["C" * n + end for n in range(1, 9) for end in ("O", "N", "F")]
    (tmp_path / "in.csv").write_text("smiles,y\n" + "".join(f"{text},{len(text) + 0.5}\n" for text in texts))
    options = FinetuningOptions(
        targets=("y",), device="cpu", split="random", features=("exlm",), head="linear", keep_training=False
    )
    finetune(tmp_path / "in.csv", tmp_path / "own", options, labels=LabelOptions(kind="regression"))
    assert Predictor.from_pretrained(tmp_path / "own", "cpu").training is None
    assert not (tmp_path / "own" / TRAINING_NAME).exists()
    assert "training.safetensors" not in (tmp_path / "own" / "README.md").read_text()
