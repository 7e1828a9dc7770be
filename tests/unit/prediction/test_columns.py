"""Columns of a prediction: in order, explained, and the same for every chunk."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
import torch

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.heads.layer import LayerHead
from exlm_chem.heads.property_head import PropertyHead
from exlm_chem.prediction import columns
from exlm_chem.prediction.options import PredictionOptions, parse_columns
from exlm_chem.prediction.table import predict_file
from exlm_chem.predictors.directory import check, write_predictor
from exlm_chem.predictors.predictor import Prediction, Predictor
from exlm_chem.predictors.task import OutputColumn
from exlm_chem.predictors.task_file import PredictorTask
from exlm_chem.predictors.training_file import TRAINING_NAME, add_training
from exlm_chem.predictors.training_molecules import TrainingMolecules
from tests.smiles_examples import DRUGS


@pytest.fixture(scope="module")
def keeping(tiny_predictors, tmp_path_factory):
    """The directory of a predictor of two numbers that keeps its training molecules."""
    directory = tmp_path_factory.mktemp("keeping") / "sol"
    columns = (OutputColumn("sol", "s", unit="log10(mol/L)"), OutputColumn("logd", "d"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = LayerHead.of(PropertyHead(64, 2), "regression")
    encoder = ExLM.from_pretrained(tiny_predictors / "salt", "cpu")
    write_predictor(directory, PredictorTask("sol", "regression", columns), head, encoder)
    measured = np.stack([np.arange(len(DRUGS)), np.full(len(DRUGS), np.nan)], 1)
    add_training(directory, TrainingMolecules.collect(DRUGS, measured, measured + 0.5, encoder.embed(DRUGS)))
    return directory


@pytest.fixture(scope="module")
def predictors(tiny_predictors, tmp_path_factory):
    """One of a class with a threshold, and one of two numbers that desalts."""
    folder = tmp_path_factory.mktemp("predictors")
    yes = OutputColumn("yes", "y", threshold=0.5, meaning="Probability that it does.")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        write_predictor(
            folder / "yes",
            PredictorTask("yes", "classification", (yes,)),
            LayerHead.of(PropertyHead(64, 1), "classification"),
            tiny_predictors / "salt",
        )
    return [Predictor.from_pretrained(path, "cpu") for path in (folder / "yes", tiny_predictors / "salt")]


def predicted(tmp_path, predictors, text, **options):
    (tmp_path / "in.csv").write_text(text)
    predict_file(tmp_path / "in.csv", predictors, tmp_path / "out.csv", PredictionOptions(**options))
    with (tmp_path / "out.csv").open(newline="") as file:
        return list(csv.reader(file))


def number(cell):
    """Give a cell as a number if it is one."""
    try:
        return float(cell)
    except ValueError:
        return cell


def close(cell):
    """Give what a cell must equal: products of matrices of other heights may differ in the last digit of a float."""
    value = number(cell)
    return value if isinstance(value, str) else pytest.approx(value, abs=1e-6, rel=1e-4, nan_ok=True)


TABLE = "id,smiles\n1,CC(=O)Oc1ccccc1C(=O)O\n2,C1CC\n3,CCO\n4,\n5,C[N+](C)(C)C.[Cl-]\n"


def test_narrow_by_default(tmp_path, predictors) -> None:
    header, *rows = predicted(tmp_path, predictors, TABLE)
    assert header == ["id", "smiles", "yes", "yes_class", "pass", "smiles_used", "note", "error"]
    for row in rows:
        assert row[3] == ("" if row[2] == "" else str(int(float(row[2]) >= 0.5)))
    assert [bool(row[2]) for row in rows] == [True, False, True, False, True]


def test_what_every_column_means(tmp_path, predictors) -> None:
    header, *_ = predicted(tmp_path, predictors, TABLE, columns=("descriptors",))
    columns = json.loads((tmp_path / "out.csv.columns.json").read_text())["columns"]
    assert [column["name"] for column in columns] == header
    told = {column["name"]: column for column in columns}
    assert told["id"]["meaning"] == "As it was given."
    assert told["yes"] == {
        "name": "yes",
        "type": "float",
        "unit": "probability",
        "meaning": "Probability that it does.",
    }
    assert told["tpsa"]["unit"] == "A^2"
    assert all(told[name]["meaning"] for name in ("smiles_used", "note", "error", "mol_weight"))


def test_descriptors_stand_once_and_are_empty_where_there_is_no_answer(tmp_path, predictors) -> None:
    header, *rows = predicted(tmp_path, predictors, TABLE, columns=(), descriptors=True, alerts=("pains",))
    assert header.count("mol_weight") == header.count("alerts_pains") == 1
    weights = [row[header.index("mol_weight")] for row in rows]
    assert weights == ["180.16", "", "46.069", "", "109.6"]


@pytest.mark.parametrize("chunk_size", [1, 2, 4])
def test_chunks_change_nothing(tmp_path, predictors, chunk_size) -> None:
    options = {"columns": ("class", "descriptors", "alerts")}
    whole = predicted(tmp_path, predictors, TABLE, **options)
    assert predicted(tmp_path, predictors, TABLE, **options, chunk_size=chunk_size) == whole


def test_no_rows(tmp_path, predictors) -> None:
    assert len(predicted(tmp_path, predictors, "smiles\n", columns=("all",))) == 1


def test_names_that_are_taken(tmp_path, predictors) -> None:
    header, row = predicted(tmp_path, predictors, "smiles,yes_class,logp\nC,x,y\n", columns=("class", "descriptors"))
    assert header[:5] == ["smiles", "yes_class", "logp", "yes", "yes_yes_class"]
    assert "yes_logp" in header
    assert row[1:3] == ["x", "y"]


def test_what_a_predictor_does_not_have_is_told_and_leaves_nothing(tmp_path, predictors) -> None:
    with pytest.raises(ExLMError, match="'yes' keeps no training molecules, which the columns 'domain' need"):
        predicted(tmp_path, predictors, TABLE, columns=("domain",))
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_predictor_that_keeps_its_training_molecules(tmp_path, keeping) -> None:
    header, *rows = predicted(tmp_path, [keeping], f"smiles\n{DRUGS[0]}\nC1CC\nC[Si](C)(C)C\n")
    ends = ("sol_low", "sol_high", "logd_low", "logd_high")
    assert header == ["smiles", "sol", "logd", *ends, "sol_in_domain", "note", "error"]
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["sol_in_domain"] for row in table] == ["True", "", "False"]
    assert float(table[0]["sol_high"]) - float(table[0]["sol_low"]) == pytest.approx(1, abs=0.01)
    assert table[0]["logd_low"] == ""  # nothing was measured
    meaning = json.loads((tmp_path / "out.csv.columns.json").read_text())["columns"][5]["meaning"]
    assert "too few training molecules" in meaning


def test_every_column_of_it_for_any_chunk(tmp_path, keeping) -> None:
    text = "smiles\n" + "\n".join([*DRUGS, "C1CC", "CCO", DRUGS[3]]) + "\n"
    whole = predicted(tmp_path, [keeping], text, columns=("all",))
    assert len(whole[0]) > 30
    in_chunks = predicted(tmp_path, [keeping], text, columns=("all",), chunk_size=4)
    assert [list(map(number, row)) for row in in_chunks] == [list(map(close, row)) for row in whole]
    row = dict(zip(whole[0], whole[1], strict=True))
    assert row["sol_nearest_smiles"] == row["sol_vector_nearest_smiles"] == DRUGS[0]
    assert (row["sol_in_training"], row["sol_nearest"]) == ("yes", "0")


def test_percentiles_among_the_molecules_of_a_file(tmp_path, predictors) -> None:
    (tmp_path / "others.smi").write_text("".join(f"{text} name\n" for text in [*DRUGS, "C1CC"]))
    header, *rows = predicted(
        tmp_path, predictors, f"smiles\n{DRUGS[0]}\nC1CC\n", columns=(), reference=str(tmp_path / "others.smi")
    )
    table = [dict(zip(header, row, strict=True)) for row in rows]
    columns = json.loads((tmp_path / "out.csv.columns.json").read_text())["columns"]
    meaning = next(column["meaning"] for column in columns if column["name"] == "yes_percentile")
    assert meaning == "Share of the molecules of others.smi (12 with an answer) whose yes is lower."
    values = predictors[0].predict(DRUGS)["yes"]
    expected = 100 * ((values < values[0]).sum() + 0.5) / 12
    assert float(table[0]["yes_percentile"]) == pytest.approx(expected, abs=0.01)
    assert table[1]["yes_percentile"] == ""


def test_a_reference_without_an_answer_is_refused(tmp_path, predictors) -> None:
    (tmp_path / "bad.csv").write_text("smiles\nhello\n")
    with pytest.raises(ExLMError, match=r"has an answer for none of the molecules of bad\.csv"):
        columns.PredictionColumns(predictors, PredictionOptions(columns=(), reference=str(tmp_path / "bad.csv")))


def test_what_was_guessed_about_a_reference_is_said(tmp_path, predictors) -> None:
    (tmp_path / "others.csv").write_text("name,structure,other\na,CCO,CCN\nb,CCN,CCO\n")
    options = PredictionOptions(columns=(), reference=str(tmp_path / "others.csv"))
    summary = predict_file(["CCO"], predictors, tmp_path / "out.csv", options)
    assert summary.reading == ["others.csv: the SMILES are read from column 'structure'"]


def test_percentiles_among_drugs_come_from_one_pass_for_all_predictors(predictors, monkeypatch) -> None:
    asked = []

    def half_of_all(given, texts):
        asked.append((list(given), len(texts)))
        return [Prediction(np.full((len(texts), len(one.columns)), 0.5), [], {}) for one in given]

    monkeypatch.setattr(columns, "predict_all", half_of_all)
    made = columns.PredictionColumns(predictors, PredictionOptions(columns=(), reference="drugs"))
    assert [(column.name, prefix) for column, prefix in made.columns][1] == ("yes_percentile", "yes")
    assert made.columns[1][0].meaning == "Share of the approved drugs (500 with an answer) whose yes is lower."
    assert asked == [(predictors, 500)]


def test_the_file_of_training_molecules_is_checked(keeping, tmp_path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(keeping, copy)
    assert copy / TRAINING_NAME in check(copy)
    content = bytearray((copy / TRAINING_NAME).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / TRAINING_NAME).write_bytes(content)
    with pytest.raises(ExLMError, match="other sha256"):
        check(copy)
    with pytest.raises(ExLMError, match="other sha256"):
        predict_file(["CCO"], [copy], tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    predict_file(["CCO"], [copy], tmp_path / "out.csv", PredictionOptions(columns=()))  # which needs it not


def test_words_of_the_option() -> None:
    assert parse_columns("class,domain,class") == ("class", "domain")
    assert parse_columns("none") == ()
    with pytest.raises(ExLMError, match="no columns 'glass'; --columns takes class,"):
        PredictionOptions(columns=parse_columns("glass"))


def test_parquet_has_types(tmp_path, predictors) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    predict_file(["CCO", "C1CC"], predictors, tmp_path / "out.parquet", PredictionOptions(columns=("class",)))
    table = parquet.read_table(tmp_path / "out.parquet")
    assert str(table.schema.field("yes_class").type) == "int64"
    assert table.column("yes_class").to_pylist()[1] is None
