"""Explanations in the table: a picture for every molecule that has an answer."""

from __future__ import annotations

import csv
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMConfig, ExLMModel
from exlm_chem.prediction.explanation.attribution import ExplainedModel
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.explanation import ExplanationStage
from exlm_chem.prediction.stages.registry import make_stages
from exlm_chem.prediction.stages.stage import Molecules, Rows
from exlm_chem.prediction.table import predict_file
from exlm_chem.predictors.task import OutputColumn
from exlm_chem.tokenizer import ExLMTokenizer

TEXTS = ["CC(=O)Nc1ccc(O)cc1", "C1CC", "[H][H]", "CCO", "C" * 151, "CC(=O)Nc1ccc(O)cc1"]


@pytest.mark.parametrize("chunk_size", [1, 1000])
def test_pictures_and_their_names(tmp_path, tiny_predictors, chunk_size) -> None:
    options = PredictionOptions(explain=str(tmp_path / "pictures"), chunk_size=chunk_size, device="cpu")
    predict_file(TEXTS, [tiny_predictors / "sol"], tmp_path / "out.csv", options)
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [row["sol_explained"] for row in rows]
    assert [bool(name) for name in names] == [True, False, True, True, False, True]
    assert names[0] == names[5]
    # two atoms are too few to agree on
    assert [bool(row["sol_agreement"]) for row in rows] == [True, False, False, True, False, True]
    assert all(-1 <= float(row["sol_agreement"]) <= 1 for row in rows if row["sol_agreement"])
    files = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert files == sorted({row[f"{name}_explained"] for row in rows for name in ("sol", "logd")} - {""})
    for file in files:
        assert ET.parse(tmp_path / "pictures" / file).getroot().tag.endswith("svg")  # noqa: S314


def test_what_cannot_be_explained_is_told(tmp_path) -> None:
    column = (OutputColumn("a", "A"),)
    with pytest.raises(ExLMError, match="use --explain DIR"):
        make_stages(["explanation"], Background("own", "regression", column), StageSettings())
    tokenizer = ExLMTokenizer("selfies")
    config = ExLMConfig.preset("tiny", tokenizer.vocab_size, mask_token_id=tokenizer.mask_id)
    encoder = ExLM(ExLMModel(config), tokenizer, device="cpu")
    background = Background("own", "regression", column, explained=ExplainedModel(encoder, "mean", lambda _, v: v))
    with pytest.raises(ExLMError, match="its tokens are not those of SMILES"):
        make_stages(["explanation"], background, StageSettings(folder=str(tmp_path / "pictures")))
    assert not (tmp_path / "pictures").exists()


def test_atoms_that_rdkit_does_not_count_are_not_explained(tmp_path, tiny_model) -> None:
    encoder = ExLM.from_pretrained(tiny_model, device="cpu")
    model = ExplainedModel(encoder, "mean", lambda _, vectors: vectors[:, :1].astype(float))
    stage = ExplanationStage(["a"], model, tmp_path)
    explained, _ = stage.compute(Rows(Molecules(["[H]OC", "CO"]), np.zeros((2, 1))))
    assert [bool(name) for name in explained] == [False, True]


def test_a_folder_that_cannot_be_made(tmp_path, tiny_predictors) -> None:
    (tmp_path / "taken").write_text("a file")
    options = PredictionOptions(explain=str(tmp_path / "taken"), device="cpu")
    with pytest.raises(ExLMError, match="choose another folder"):
        predict_file(["C"], [tiny_predictors / "sol"], tmp_path / "out.csv", options)
