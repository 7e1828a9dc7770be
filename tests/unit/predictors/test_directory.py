"""Predictor directories: what is written is read, and everything else is refused in one sentence."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.features.compute import compute_blocks
from exlm_chem.features.registry import block_spec, make_blocks
from exlm_chem.heads.average import AverageHead
from exlm_chem.heads.layer import LayerHead
from exlm_chem.heads.property_head import PropertyHead
from exlm_chem.predictors.directory import check, describe, read_predictor, write_predictor
from exlm_chem.predictors.loading import load_predictors
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.predictors.task import OutputColumn
from exlm_chem.predictors.task_file import PredictorTask
from exlm_chem.storage.records import content_sha256


@pytest.fixture
def copy(tiny_predictors, tmp_path):
    """A predictor directory to spoil."""
    shutil.copytree(tiny_predictors / "salt", tmp_path / "salt")
    return tmp_path / "salt"


def failure(directory):
    with pytest.raises(ExLMError) as caught:
        Predictor.from_pretrained(directory, "cpu")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_directory_is_read_as_it_was_written(tmp_path, tiny_model):
    column = OutputColumn("x", "y", "nM", (0.0, 1.5), "lower", None, "What it means.")
    metrics = {"rmse": 0.5, "none": float("nan"), "pair": (1, -0.0)}
    task = PredictorTask(
        "x", "regression", (column,), "Title", "first", "fragment", metrics=metrics, split={"kind": "scaffold"}
    )
    written = write_predictor(
        tmp_path / "p", task, LayerHead.of(PropertyHead(64, 1, hidden=4), "regression"), tiny_model
    )
    directory, read, head = read_predictor(tmp_path / "p")
    assert directory == tmp_path / "p"
    assert read.metrics == {"rmse": 0.5, "none": None, "pair": [1, 0.0]}
    assert (read.columns, read.encoder, read.head) == (written.columns, written.encoder, written.head)
    assert head.arrays()["dense.bias"].shape == (4,)
    assert not (tmp_path / "p" / "model.safetensors").exists()
    content = json.loads((tmp_path / "p" / "task.json").read_text())
    assert (content["format_version"], content["sha256"]) == (3, content_sha256(content))


def test_the_last_layer_is_not_named_and_others_are(tmp_path, tiny_model, tiny_predictors):
    _, task, head = read_predictor(tiny_predictors / "salt")
    written = {}
    for layer in (-1, 2, 1, -2):
        write_predictor(tmp_path / str(layer), replace(task, layer=layer), head, tiny_model)
        written[layer] = json.loads((tmp_path / str(layer) / "task.json").read_text())
    assert written[-1] == written[2]
    assert written[1] == written[-2]
    assert "layer" not in written[-1]
    assert set(written[-1]["features"][0]["settings"]) == {"weights", "tokenizer", "pooling"}
    assert written[1]["layer"] == written[1]["features"][0]["settings"]["layer"] == 1
    assert written[1]["features"][0]["fingerprint"] != written[-1]["features"][0]["fingerprint"]
    with pytest.raises(ExLMError, match="there is no layer 3: this model has 0 to 2, or from the end -1 to -3"):
        write_predictor(tmp_path / "none", replace(task, layer=3), head, tiny_model)


def test_a_layer_that_the_encoder_does_not_have_is_named_with_the_file(copy):
    spec = json.loads((copy / "task.json").read_text())["features"][0]
    for layer, message in (
        (9, "task.json: there is no layer 9: this model has 0 to 2"),
        (0.5, "must be a whole number"),
    ):
        spoil_task(copy, features=[spec | {"settings": spec["settings"] | {"layer": layer}}])
        assert message in failure(copy)


OLD = {"format_version": 1, "features": ["exlm"]}


def spoil_task(directory, resealed=True, **changes):
    """Change what task.json says; resealed, its own hash fits, as if it had been saved like that."""
    content = json.loads((directory / "task.json").read_text()) | changes
    if resealed:
        content["sha256"] = content_sha256(content)
    (directory / "task.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 9}, "it has format 9, and this version of ExLM-chem reads 1 and 2 and 3; update ExLM-chem"),
        ({"format_version": "2"}, "format_version must be a whole number, not '2'"),
        ({"columns": [{"nome": "x"}]}, "columns[0].name is missing; copy the directory again"),
        ({"columns": []}, "columns must have at least one entry"),
        ({"columns": [{"name": "a", "target": "a"}] * 2}, "columns[0] and columns[1] have the same name, 'a'"),
        (
            {"columns": [{"name": "a", "target": "a"}, {"name": "b", "target": "b"}]},
            "is not for what task.json",
        ),
        ({"columns": [{"name": "a", "target": "a", "range": [1, 0]}]}, "columns[0].range must be the lowest"),
        (
            {"columns": [{"name": "a", "target": "a", "direction": "up"}]},
            "direction must be one of higher, lower, none",
        ),
        ({"head": {}}, "head.name is missing"),
        ({"head": None}, "head is missing"),
        ({"pooling": "max"}, "pooling must be one of mean, mean+middle, mean+max, first, states, not 'max'"),
        ({"layer": "2"}, "layer must be a whole number, not '2'"),
        ({"metrics": []}, "metrics must be an object, not a list"),
        ({"features": ["exlm", "ecfp"]}, "features[0] must be an object"),
        (
            {"features": [{"name": "ecfp", "width": 2048, "fingerprint": "0" * 64}]},
            "is not for what task.json",
        ),
        (
            {**OLD, "encoder": {"path": "nowhere"}},
            "its encoder 'nowhere' is no directory",
        ),
        ({"encoder": {"path": None}}, "encoder.path must be the path of a folder, not null"),
        ({**OLD, "encoder": {"path": "x" * 999}}, "is no directory"),
        ({"encoder": None}, "encoder must be an object, not null"),
        (
            {**OLD, "encoder": {}},
            "does not say where its encoder is (encoder.path)",
        ),
        ({"encoder": {"path": ".", "sha256": "0"}}, "encoder.sha256 must be a sha256"),
    ],
)
def test_wrong_values_are_named_with_their_file(copy, change, message):
    spoil_task(copy, **change)
    assert message in (text := failure(copy))
    assert str(copy) in text


@pytest.mark.parametrize("name", ["sha256", "config_sha256", "tokenizer"])
def test_another_encoder_is_noticed(copy, name):
    content = json.loads((copy / "task.json").read_text())
    spoil_task(copy, encoder=content["encoder"] | {name: "0" * 64})
    assert "is not of the encoder that" in failure(copy)


@pytest.mark.parametrize(("name", "value"), [("files", {}), ("blocks", {"exlm": 3}), ("name", "other"), ("columns", 2)])
def test_another_head_is_noticed(copy, name, value):
    content = json.loads((copy / "task.json").read_text())
    spoil_task(copy, head=content["head"] | {name: value})
    assert str(copy) in failure(copy)


def test_a_block_that_gives_other_numbers_is_noticed(copy):
    spec = json.loads((copy / "task.json").read_text())["features"][0]
    spoil_task(copy, features=[spec | {"fingerprint": "0" * 64}])
    assert "task.json: block 'exlm' gives other numbers here" in failure(copy)


def test_a_head_of_members_on_several_blocks_is_read_as_it_was_written(tmp_path, tiny_model):
    encoder = ExLM.from_pretrained(tiny_model, "cpu")
    texts = ["C" * n + end for n in range(1, 9) for end in ("O", "N", "c1ccccc1")]
    blocks = make_blocks(["exlm", "descriptors"], encoder)
    head = AverageHead(["linear", "boosting"])
    head.fit(compute_blocks(texts, blocks), np.arange(len(texts))[:, None], "regression", texts)
    task = PredictorTask("x", "regression", (OutputColumn("x", "y"),), features=tuple(map(block_spec, blocks)))
    write_predictor(tmp_path / "p", task, head, encoder)
    read = Predictor.from_pretrained(tmp_path / "p", "cpu")
    together = read.predict(texts)["x"]
    np.testing.assert_array_equal(together, Predictor(task, head, encoder).predict(texts)["x"])
    alone = [read.predict(text)["x"][0] for text in texts[::-1]]
    np.testing.assert_allclose(together[::-1], alone, rtol=1e-4)
    path = next(path for path in check(tmp_path / "p") if path.name == "head.safetensors.zst")
    path.write_bytes(path.read_bytes() + b" ")
    assert str(path) in failure(tmp_path / "p")
    path.unlink()
    assert f"{path} is missing" in failure(tmp_path / "p")


@pytest.mark.parametrize("change", [{"pooling": "first"}, {"standardise": "none"}, {"title": "x"}, {"sha256": None}])
def test_a_value_that_was_changed_since_is_noticed(copy, change):
    spoil_task(copy, resealed=False, **change)
    assert "task.json: it does not say what was saved (other sha256)" in failure(copy)


def test_broken_heads_are_named(copy, tiny_model):
    path = copy / "head.safetensors.zst"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert "head.safetensors.zst is not the file that was saved (other sha256)" in failure(copy)
    path.write_bytes(good[:-10])
    assert "head.safetensors.zst is not the file that was saved" in failure(copy)
    path.unlink()
    assert "head.safetensors.zst is missing" in failure(copy)
    path.write_bytes(good)
    (copy / "task.json").unlink()
    assert "task.json is missing" in failure(copy)
    with pytest.raises(ExLMError, match="is an encoder and predicts nothing by itself"):
        Predictor.from_pretrained(tiny_model)


def test_encoders_are_shared_only_if_all_of_them_is_the_same(copy, tiny_predictors):
    first, second, third = load_predictors([tiny_predictors / "salt", tiny_predictors / "pass", copy], "cpu")
    assert first.encoder is second.encoder is third.encoder


def test_all_files_are_checked_and_described(copy):
    (copy / "run.json").write_text("{}")
    assert [path.name for path in check(copy)] == [
        *("task.json", "head.safetensors.zst", "run.json"),
        *("config.json", "model.safetensors", "tokenizer_config.json", "tokenizer.json"),
    ]
    assert describe(copy)["kind"] == "predictor"
    (copy / "run.json").write_text("{")
    with pytest.raises(ExLMError, match=r"run\.json is broken"):
        check(copy)
    Predictor.from_pretrained(copy, "cpu")  # nothing is computed from it
