"""Finding, checking, writing and describing model directories."""

import json
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from exlm_chem import model_directory
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMForMaskedLM, ExLMModel
from exlm_chem.storage.records import content_sha256
from exlm_chem.tokenizer import ExLMTokenizer


@pytest.fixture
def encoder(tiny_model, tmp_path):
    """A model directory to spoil."""
    shutil.copytree(tiny_model, tmp_path / "encoder")
    return tmp_path / "encoder"


def spoil(directory, resealed=True, name="config.json", **changes):
    """Change what a JSON file says; resealed, its own hash fits, as if it had been saved like that."""
    content = json.loads((directory / name).read_text()) | changes
    if resealed and "sha256" in content:
        content["sha256"] = content_sha256(content)
    (directory / name).write_text(json.dumps(content))


def without_hashes(directory):
    """Make a directory of format 1."""
    content = json.loads((directory / "config.json").read_text())
    for name in ("format_version", "weights_sha256", "sha256"):
        del content[name]
    (directory / "config.json").write_text(json.dumps(content))


@pytest.mark.parametrize("name", model_directory.available())
def test_shipped_model_is_sound(name):
    assert model_directory.check(model_directory.find_model(name))


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ExLMError, match="no model 'bpbp': it is no directory, and the models that ship are: ") as error:
        model_directory.find_model("bpbp")
    assert all(name in str(error.value) for name in model_directory.available())


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "a\nb", "\udcff"])
def test_names_that_can_be_none(name):
    with pytest.raises(ExLMError, match="no model ") as error:
        model_directory.find_model(name)
    assert str(error.value).isprintable()


def test_a_file_is_no_model(encoder):
    with pytest.raises(ExLMError, match="it is a file, not a directory"):
        model_directory.find_model(encoder / "config.json")


def test_every_class_reads_a_model_by_its_name_or_directory(encoder, tiny_predictors):
    assert model_directory.find_model(str(encoder)) == encoder
    assert model_directory.find_model(tiny_predictors / "pass") == tiny_predictors / "pass"
    assert ExLMTokenizer.from_pretrained("exlm-small").scheme == "lossless"
    assert ExLMTokenizer.from_pretrained("bbbp").fingerprint == ExLMTokenizer.from_pretrained(encoder).fingerprint
    assert ExLMModel.from_pretrained("bbbp").config == ExLMForMaskedLM.from_pretrained("exlm-small").config


def test_describe(encoder, tiny_predictors):
    summary = model_directory.describe(encoder)
    assert (summary["kind"], summary["name"]) == ("encoder", "encoder")
    assert summary["config"]["hidden_size"] == 64
    assert summary["parameters"] == sum(p.numel() for p in ExLMForMaskedLM.from_pretrained(encoder).parameters())
    assert "training" not in summary
    (encoder / "training.json").write_text('{"format_version": 1, "steps": 3}')
    assert model_directory.describe(encoder)["training"] == {"steps": 3}


@pytest.mark.parametrize("name", model_directory.ENCODER_FILES)
def test_missing_file_is_named(encoder, name):
    (encoder / name).unlink()
    with pytest.raises(ExLMError, match=rf"is no complete model directory: {re.escape(name)} is missing"):
        model_directory.find_model(encoder)


@pytest.mark.parametrize("name", model_directory.ENCODER_FILES)
def test_cut_off_file_is_named(encoder, name):
    content = (encoder / name).read_bytes()
    (encoder / name).write_bytes(content[: len(content) - 5])
    with pytest.raises(ExLMError, match=rf"{re.escape(name)} is broken"):
        model_directory.find_model(encoder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_hidden_layers": 10**12}, "num_hidden_layers must be a whole number of 1 to 4,096, not 1000000000000"),
        ({"num_hidden_layers": 4000}, "num_hidden_layers is 4000, and model.safetensors was made for 2"),
        ({"intermediate_size": 10**6}, "intermediate_size is 1000000, and model.safetensors was made for 128"),
        ({"vocab_size": 2**24}, "vocab_size is 16777216, and model.safetensors was made for"),
        ({"hidden_size": 2**16}, "hidden_size is 65536, and model.safetensors was made for 64"),
        ({"num_attention_heads": 2}, "num_attention_heads is 2, and model.safetensors was made for 4"),
        ({"max_positions": 128}, "max_positions is 128, and model.safetensors was made for 256"),
        ({"objective": "mlm"}, "objective is mlm, and model.safetensors was made for exlm"),
        ({"molecule_objectives": {"ecfp": 2**20}}, "molecule_objectives is"),
        ({"mask_token_id": 4}, "they do not belong together"),
        ({"pad_token_id": 10**9}, "pad_token_id must be"),
        ({"unk_token_id": 0}, "the ids of the special tokens (0, 1, 2, 0, 429) must differ"),
        ({"hidden_dropout": None}, "hidden_dropout must be a number of 0 to 1, not null"),
        ({"model_type": "bert"}, "it does not describe an ExLM model"),
        ({"format_version": 3}, "it has format 3, and this version of ExLM-chem reads 1 and 2; update ExLM-chem"),
        ({"weights_sha256": None}, "it lacks the hash of model.safetensors"),
        ({"weights_sha256": "0" * 64}, "model.safetensors is not the file that was saved (other sha256)"),
    ],
)
def test_every_wrong_value_of_the_configuration_is_named(encoder, change, message):
    spoil(encoder, **change)
    for read in (model_directory.find_model, ExLM.from_pretrained):
        with pytest.raises(ExLMError) as caught:
            read(encoder)
        assert message in str(caught.value)
        assert str(encoder) in str(caught.value)


@pytest.mark.parametrize("change", [{"max_positions": 200}, {"layer_norm_eps": 1e-3}, {"options": {"a": 1}}])
def test_a_value_that_was_changed_since_is_noticed(encoder, change):
    spoil(encoder, resealed=False, **change)
    with pytest.raises(ExLMError, match=r"config\.json: it does not say what was saved \(other sha256\)"):
        model_directory.find_model(encoder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_weights_that_are_no_numbers_are_noticed(encoder, value, dtype):
    without_hashes(encoder)
    path = encoder / "model.safetensors"
    weights = {name: tensor.to(dtype) for name, tensor in load_file(path).items()}
    save_file(weights, path)
    model_directory.find_model(encoder)
    weights["model.encoder.final_norm.bias"][3] = value
    save_file(weights, path)
    for read in (model_directory.find_model, ExLMModel.from_pretrained):
        with pytest.raises(ExLMError, match=r"model\.safetensors is broken: 'model\.encoder\.final_norm\.bias' holds"):
            read(encoder)


def test_weights_that_are_whole_numbers_are_refused(encoder):
    without_hashes(encoder)
    path = encoder / "model.safetensors"
    save_file({name: tensor.long() for name, tensor in load_file(path).items()}, path)
    with pytest.raises(ExLMError, match="holds I64 instead of numbers"):
        model_directory.find_model(encoder)


def test_format_1_has_the_hash_of_its_weights_in_training_json(encoder, caplog):
    without_hashes(encoder)
    (encoder / "training.json").write_text(json.dumps({"sha256": "0" * 64}))
    with pytest.raises(ExLMError, match=r"model\.safetensors is not the file that was saved"):
        model_directory.find_model(encoder)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"a": ' * 10_000, b'{"sha256": [1]}'])
@pytest.mark.parametrize("name", ["training.json", "tokenizer.json"])
def test_files_that_nothing_is_computed_from_are_warned_of(encoder, caplog, name, content):
    expected = ExLM.from_pretrained(encoder, "cpu").embed("CCO")
    (encoder / name).write_bytes(content)
    assert (ExLM.from_pretrained(encoder, "cpu").embed("CCO") == expected).all()
    if (name, content) != ("training.json", b'{"sha256": [1]}'):
        assert [record.getMessage().count(str(encoder / name)) for record in caplog.records] == [1]
        with pytest.raises(ExLMError, match=re.escape(name)):
            model_directory.check(encoder)


def test_a_missing_export_is_warned_of(encoder, caplog):
    (encoder / "tokenizer.json").unlink()
    model_directory.find_model(encoder)
    assert "Hugging Face cannot read the tokenizer" in caplog.text
    with pytest.raises(ExLMError, match=r"tokenizer\.json is missing"):
        model_directory.check(encoder)


def test_a_file_is_hashed_once(tiny_predictors, monkeypatch):
    import time

    from exlm_chem.predictors.loading import load_predictors

    time.sleep(0.2)  # a file that is as young as that may change without another time
    read = []
    digest = model_directory.sha256.__globals__["hashlib"].file_digest
    monkeypatch.setattr("hashlib.file_digest", lambda file, name: read.append(file.name) or digest(file, name))
    model_directory.sha256.__globals__["_hashes"].clear()
    load_predictors([tiny_predictors / "pass", tiny_predictors / "sol"], "cpu")
    assert len(read) == len(set(read)) == 3  # the encoder and two heads
