"""Logarithms of measurements, from the table to the numbers that a predictor gives."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exlm_chem.data_sets.description import describe
from exlm_chem.errors import ExLMError
from exlm_chem.evaluation.evaluate import evaluate_predictor
from exlm_chem.evaluation.options import EvaluateOptions
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.labels import read_labels
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.run import finetune
from exlm_chem.prediction.columns import PredictionColumns
from exlm_chem.prediction.options import PredictionOptions, parse_columns
from exlm_chem.prediction.table import predict_file
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.predictors.registry import read_tasks
from exlm_chem.predictors.transforms import transformed

DATA = Path(__file__).parents[2] / "data"


def read(texts, **options):
    return read_labels("y", texts, range(2, len(texts) + 2), "a.csv", LabelOptions(**options))


def test_limits_turn_round_where_more_is_less():
    texts = ["10", ">10000", "<1", "", "~100"]
    column = read(texts, transform="p:nM")
    np.testing.assert_allclose(column.values, [8, 5, 9, np.nan, 7])
    np.testing.assert_array_equal(column.bounds, [0, -1, 1, 0, 0])
    assert column.decided.startswith("taken as p:nM; limits, beyond which the truth lies: '>10000' (1 cell)")
    column = read(texts, transform="log10")
    np.testing.assert_allclose(column.values, [1, 4, 0, np.nan, 2])
    np.testing.assert_array_equal(column.bounds, [0, 1, -1, 0, 0])


@pytest.mark.parametrize(("unit", "value"), [("M", 0), ("mM", 3), ("uM", 6), ("nM", 9), ("pM", 12)])
def test_one_mole_per_litre(unit, value):
    assert transformed(np.ones(1), f"p:{unit}") == value


def test_zero_and_one_are_measurements_with_a_transform():
    assert read(["1", "10", "10"], transform="log10").kind == "regression"
    np.testing.assert_allclose(read(["1", "1000"], transform="p:uM").values, [6, 3])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["0", "10", "-3"], "2 of 3 labels are not above 0, and have no logarithm: '0' .1 cell., '-3' .1 cell."),
        (["active", "inactive"], "2 of 2 labels are no plain number"),
    ],
)
def test_labels_without_a_logarithm(texts, message):
    with pytest.raises(ExLMError, match=message):
        read(texts, transform="log10")


def test_a_transform_fits_no_class(tmp_path):
    with pytest.raises(ExLMError, match="--transform is for measurements, and the labels are classes"):
        LabelOptions(kind="classification", transform="log10")
    with pytest.raises(ExLMError, match="transform must be one of none, log10, p:M"):
        LabelOptions(transform="ln")
    with pytest.raises(ExLMError, match="--relation and --transform are for finetune"):
        describe(DATA / "esol_150.csv", labels=LabelOptions(transform="log10"))


def test_orders_of_magnitude_are_told():
    wide = [f"{value:.4g}" for value in np.logspace(0, 4, 40)]
    assert "measurements from 1 to 10000, where errors of large values decide; see --transform" in read(wide).decided
    narrow = [f"{value:.4g}" for value in np.logspace(0, 1, 40)]
    for texts, options in ((narrow, {}), (wide[:10], {}), ([*wide, "-1.5"], {}), (wide, {"transform": "log10"})):
        assert "--transform" not in read(texts, **options).decided


def table_of_concentrations(path):
    table = pd.read_csv(DATA / "esol_150.csv")
    logs = table["measured log solubility in mols per litre"]
    table = pd.DataFrame({"smiles": table["smiles"], "nM": 10 ** (9 + logs), "logS": -logs})
    table.to_csv(path, index=False)
    return table


def test_what_is_learnt_is_the_logarithm(tiny_model, tmp_path):
    """A predictor of a concentration is that of its logarithm, to the last bit, and knows what its numbers are."""
    table_of_concentrations(tmp_path / "table.csv")
    options = {"features": ("exlm",), "head": "linear", "model": str(tiny_model), "device": "cpu", "split": "random"}
    labels = LabelOptions(transform="p:nM")
    made = finetune(
        tmp_path / "table.csv", tmp_path / "p", FinetuningOptions(targets=("nM",), **options), labels=labels
    )
    plain = finetune(tmp_path / "table.csv", tmp_path / "plain", FinetuningOptions(targets=("logS",), **options))
    output = made.task.columns[0]
    assert (output.name, output.target, output.unit, output.transform) == ("p_nM", "nM", "-log10(mol/L)", "p:nM")
    assert output.meaning == "Predicted negative decimal logarithm (mol/L) of nM."
    written = json.loads((tmp_path / "p" / "task.json").read_text(encoding="utf-8"))
    assert written["columns"][0]["transform"] == "p:nM"
    assert "transform" not in (tmp_path / "plain" / "task.json").read_text(encoding="utf-8")
    assert made.task.metrics["test"]["rmse"] == pytest.approx(plain.task.metrics["test"]["rmse"], abs=1e-9)
    molecules = ["CCO", "c1ccccc1O"]
    values = [Predictor.from_pretrained(tmp_path / name, "cpu").score(molecules) for name in ("p", "plain")]
    np.testing.assert_allclose(values[0], values[1], atol=1e-6)

    loaded = Predictor.from_pretrained(tmp_path / "p", "cpu")
    columns = PredictionColumns([loaded], PredictionOptions(columns=parse_columns("+neighbours")))
    meanings = [column.meaning for column, _ in columns.columns]
    assert (
        sum(one.startswith("The negative decimal logarithm (mol/L) of nM as it was measured") for one in meanings) == 2
    )
    (measured,) = columns.measured(["smiles", "nM", *["ours"] * columns.count])
    assert (measured.label, measured.prediction, measured.transform) == (1, 2, "p:nM")

    (tmp_path / "few.csv").write_text("smiles,nM\nCCO,10\nCCN,100\nCCC,0\n", encoding="utf-8")
    predict_file(
        tmp_path / "few.csv", [loaded], tmp_path / "out.csv", PredictionOptions(report=str(tmp_path / "page.html"))
    )
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "p_nM: predicted against measured, 2 molecules" in page  # 0 has no logarithm

    judged = evaluate_predictor(tmp_path / "p", tmp_path / "table.csv", EvaluateOptions(device="cpu"))
    test = judged.groups["test"]["columns"]["p_nM"]
    assert test["metrics"]["rmse"]["value"] == pytest.approx(made.task.metrics["test"]["rmse"], rel=1e-5)
    logs = EvaluateOptions(device="cpu", target=("logS",))  # logarithms already
    again = evaluate_predictor(tmp_path / "p", tmp_path / "table.csv", logs, LabelOptions(transform="none"))
    assert again.groups["test"]["columns"]["p_nM"]["metrics"]["rmse"]["value"] == test["metrics"]["rmse"]["value"]
    with pytest.raises(ExLMError, match="not above 0, and have no logarithm"):
        evaluate_predictor(tmp_path / "p", tmp_path / "table.csv", logs)


def test_a_task_says_it_of_each_column(tmp_path):
    (tmp_path / "my.toml").write_text(
        '[panel]\nkind = "regression"\nevery = {transform = "p:uM", meaning = "Potency in {target}."}\n'
        'columns = [{target = "A"}, {target = "B", transform = "log10", unit = "log10(nM)"}, {target = "C"}]\n'
    )
    task = read_tasks(tmp_path / "my.toml")["panel"]
    assert [column.transform for column in task.columns] == ["p:uM", "log10", "p:uM"]
    assert [column.unit for column in task.columns] == ["-log10(mol/L)", "log10(nM)", "-log10(mol/L)"]
    assert task.columns[0].meaning == "Potency in A."
    table, options = tmp_path / "table.csv", FinetuningOptions()
    table.write_text("smiles,A,B,C\nC,1,2,3\n")
    with pytest.raises(ExLMError, match="--transform is for --target; task 'panel' says of each of its columns"):
        finetune(table, tmp_path / "out", options, task=task, labels=LabelOptions(transform="log10"))
    for entry, message in (
        ("log2", "transform must be one of none, log10, p:M"),
        ("log10", "transform is for measurements, and the labels are classes"),
    ):
        kind = "classification" if entry == "log10" else "regression"
        (tmp_path / "bad.toml").write_text(
            f'[x]\nkind = "{kind}"\ncolumns = [{{target = "A", transform = "{entry}"}}]\n'
        )
        with pytest.raises(ExLMError, match=message):
            read_tasks(tmp_path / "bad.toml")
