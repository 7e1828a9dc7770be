"""Comparing runs: simulated methods of known quality, and runs that cannot be compared."""

import numpy as np
import pandas as pd
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.evaluation.comparison import compare
from exlm_chem.evaluation.comparison_plot import plot
from exlm_chem.evaluation.options import CompareOptions
from exlm_chem.finetuning.predictions import predictions_table, write_predictions


def write_run(folder, noise, *, kind="regression", folds=25, seed=0, change=None, targets=("y",)):
    """A method whose predictions are the labels with so much noise."""
    truth, random = np.random.default_rng(7), np.random.default_rng(seed)
    labels = truth.normal(size=(40, len(targets)))
    if kind == "classification":
        labels = (labels > 0).astype(float)
    tables = []
    for fold in range(folds):
        rows = truth.permutation(40)[:20]
        outputs = labels[rows] + noise * random.normal(size=(20, len(targets)))
        if kind == "classification":
            outputs = 1 / (1 + np.exp(-outputs))
        tables.append(predictions_table(rows, targets, labels[rows], outputs, part="test", fold=fold))
    table = pd.concat(tables, ignore_index=True)
    folder.mkdir(parents=True)
    write_predictions(folder / "predictions.csv", table if change is None else change(table))
    return folder


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_better_methods_are_found(tmp_path, kind):
    runs = [
        write_run(tmp_path / name, noise, kind=kind, seed=seed, targets=("a", "b"))
        for seed, (name, noise) in enumerate([("poor", 3.0), ("good", 0.3), ("also", 0.3)])
    ]
    result = compare(runs)
    assert set(result.scores.methods[:2]) == {"good", "also"}
    assert result.worse() == [False, False, True]
    assert "not to be told apart from it" in str(result)
    assert str(result).endswith(result.scores.methods[1])
    content = result.to_json()
    assert content["metric"] == ("rmse" if kind == "regression" else "roc_auc")
    assert len(content["methods"][0]["scores"]) == len(content["folds"]) == 25


def test_equal_methods_are_not_told_apart(tmp_path):
    result = compare([write_run(tmp_path / str(seed), 1.0, seed=seed) for seed in (1, 2)])
    assert "none of the others can be told apart" in str(result)


def test_other_metrics_and_tests(tmp_path):
    runs = [write_run(tmp_path / name, noise, seed=1) for name, noise in (("good", 0.2), ("poor", 2.0))]
    result = compare(runs, CompareOptions(metric="spearman", test="conover"))
    assert result.scores.methods == ["good", "poor"]
    assert result.pairs.test == "conover"
    with pytest.raises(ExLMError, match="no metric 'roc_auc' of a regression; use rmse"):
        compare(runs, CompareOptions(metric="roc_auc"))


def test_limits_are_judged_on_their_wrong_side_only(tmp_path):
    def limited(table):
        return table.assign(bound=1, y=-9.0)  # all are larger than -9, and every prediction is

    runs = [write_run(tmp_path / name, noise, change=limited) for name, noise in (("a", 0.1), ("b", 2.0))]
    assert compare(runs).scores.array.max() == 0


def test_seeds_are_averaged(tmp_path):
    twice = write_run(tmp_path / "a", 1.0, change=lambda table: pd.concat([table, table.assign(seed=1)]))
    once = write_run(tmp_path / "b", 1.0)
    np.testing.assert_allclose(*compare([twice, once]).scores.array)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.iloc[1:], "did not predict the same molecules: only 'a' has row"),
        (lambda table: table.assign(fold=table["fold"] + 1), "did not predict the same molecules"),
        (lambda table: table.assign(y=table["y"] + 1), "'a' and 'b' have different labels of row"),
        (lambda table: table.assign(part="valid"), "has no predictions of molecules with a label in the part test"),
        (lambda table: pd.concat([table, table.iloc[:1]]), "twice in fold 0 with one seed"),
    ],
)
def test_runs_that_cannot_be_compared(tmp_path, change, message):
    runs = [write_run(tmp_path / "a", 1.0), write_run(tmp_path / "b", 1.0, change=change)]
    with pytest.raises(ExLMError, match=message):
        compare(runs)


def test_too_few_runs_and_folds(tmp_path):
    one = write_run(tmp_path / "a", 1.0, folds=1)
    with pytest.raises(ExLMError, match="give at least two runs"):
        compare([one])
    with pytest.raises(ExLMError, match="has predictions of 1 fold, and methods cannot be told apart by fewer than 5"):
        compare([one, write_run(tmp_path / "b", 1.0, folds=1)])


def test_metrics_without_a_value(tmp_path):
    def one_class(table):
        return table.assign(y=1.0, prediction=0.5)

    runs = [write_run(tmp_path / name, 1.0, kind="classification", change=one_class) for name in "ab"]
    with pytest.raises(ExLMError, match="no fold has a ROC-AUC: all labels are 1; choose another --metric"):
        compare(runs)


def test_names(tmp_path):
    runs = [write_run(tmp_path / one / "run", 1.0, seed=seed) for seed, one in enumerate("ab")]
    assert sorted(compare([runs[0], runs[1] / "predictions.csv"]).scores.methods) == ["a/run", "b/run"]
    with pytest.raises(ExLMError, match="two runs are called 'a/run'"):
        compare([runs[0], runs[0]])


@pytest.mark.parametrize("suffix", ["png", "svg"])
@pytest.mark.parametrize("test", ["tukey", "conover"])
def test_a_picture(tmp_path, suffix, test):
    runs = [write_run(tmp_path / name, noise, seed=1) for name, noise in (("good", 0.2), ("poor", 2.0))]
    result = compare(runs, CompareOptions(test=test))
    plot(result, tmp_path / f"a.{suffix}")
    assert (tmp_path / f"a.{suffix}").stat().st_size > 5000
    with pytest.raises(ExLMError, match=r"'a.txt' is no picture that can be drawn"):
        plot(result, tmp_path / "a.txt")
