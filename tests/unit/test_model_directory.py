"""Finding and checking model directories."""

import hashlib
import json
import re

import numpy as np
import pytest
from safetensors.numpy import save_file

from exlm_chem import model_directory
from exlm_chem.errors import ExLMError


def write_json(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def encoder(tmp_path):
    """A directory with the files of an encoder; what the weights say is of no interest here."""
    folder = tmp_path / "encoder"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        write_json(folder / name, {"model_type": "exlm"})
    save_file({"weight": np.zeros((2, 3), dtype=np.float32)}, folder / "model.safetensors")
    return folder


@pytest.fixture
def predictor(encoder):
    folder = encoder.with_name("predictor")
    folder.mkdir()
    digest = hashlib.sha256((encoder / "model.safetensors").read_bytes()).hexdigest()
    write_json(folder / "task.json", {"name": "p", "encoder": {"path": "../encoder", "sha256": digest}})
    save_file({"weight": np.zeros(4, dtype=np.float32)}, folder / "head.safetensors")
    return folder


@pytest.mark.parametrize("name", model_directory.available())
def test_shipped_model_is_sound(name):
    directory = model_directory.find_model(name)
    assert model_directory.describe(directory)["parameters"] > 100


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ExLMError, match="no model 'bpbp': it is no directory, and the models that ship are: ") as error:
        model_directory.find_model("bpbp")
    assert all(name in str(error.value) for name in model_directory.available())


def test_a_file_is_no_model(encoder):
    with pytest.raises(ExLMError, match="it is a file, not a directory"):
        model_directory.find_model(encoder / "config.json")


def test_find_directory(encoder, predictor):
    assert model_directory.find_model(str(encoder)) == encoder
    assert model_directory.find_model(predictor) == predictor
    assert model_directory.encoder_directory(predictor) == encoder.resolve()
    assert {path.name for path in model_directory.check(predictor)} == {
        *model_directory.ENCODER_FILES,
        *model_directory.PREDICTOR_FILES,
    }


def test_describe(predictor):
    summary = model_directory.describe(predictor)
    assert (summary["kind"], summary["parameters"]) == ("predictor", 10)
    assert summary["config"] == {"model_type": "exlm"}


@pytest.mark.parametrize("name", model_directory.ENCODER_FILES)
def test_missing_file_is_named(encoder, name):
    (encoder / name).unlink()
    with pytest.raises(ExLMError, match=rf"is no complete model directory: {re.escape(name)} is missing"):
        model_directory.find_model(encoder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_cut_off_file_is_named(encoder, name):
    content = (encoder / name).read_bytes()
    (encoder / name).write_bytes(content[: len(content) - 5])
    with pytest.raises(ExLMError, match=rf"{re.escape(name)} is broken"):
        model_directory.find_model(encoder)


def test_missing_encoder_of_a_predictor(encoder, predictor):
    encoder.rename(encoder.with_name("elsewhere"))
    with pytest.raises(ExLMError, match=r"encoder is no complete model directory: config.json is missing"):
        model_directory.find_model(predictor)


def test_other_encoder_than_the_predictor_was_trained_with(encoder, predictor):
    save_file({"weight": np.ones((2, 3), dtype=np.float32)}, encoder / "model.safetensors")
    with pytest.raises(ExLMError, match=r"is not the encoder that .*predictor was trained with"):
        model_directory.find_model(predictor)


def test_task_without_encoder(predictor):
    write_json(predictor / "task.json", {"name": "p"})
    with pytest.raises(ExLMError, match="does not say where its encoder is"):
        model_directory.find_model(predictor)


def test_weights_are_the_recorded_ones(encoder):
    write_json(encoder / "training.json", {"sha256": "0" * 64})
    with pytest.raises(ExLMError, match=r"other sha256 than in training.json"):
        model_directory.find_model(encoder)
