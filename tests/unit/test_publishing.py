"""What goes to the Hub: the files that are checked, with a card that names a licence, ready to be read there."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exlm_chem import ExLM, Predictor
from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
from exlm_chem.publishing import publish
from exlm_chem.text_tokenizer import TextTokenizer

CARD = "# Mine\n\nTrained on nothing.\n"


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A model directory with a card, and a file of its maker's."""
    shutil.copytree(tiny_model, tmp_path / "model")
    (tmp_path / "model/README.md").write_text(CARD)
    (tmp_path / "model/run.json").write_text("{}")
    return tmp_path / "model"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for what is uploaded."""

    class Hub:
        def create_repo(self, repository: str, exist_ok: bool) -> None:
            assert exist_ok

        def upload_folder(self, repo_id: str, folder_path: Path, **_: Any) -> None:
            shutil.copytree(folder_path, tmp_path / "hub" / repo_id)

    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub, "HfApi", Hub)
    return tmp_path / "hub"


def test_an_encoder_arrives_with_what_others_read_it_by(model: Path, hub: Path) -> None:
    upload = publish(model, "me/mine", "mit")
    there = hub / "me/mine"
    assert upload.files == {path.name: path.stat().st_size for path in there.iterdir()}
    assert "run.json" not in upload.files
    assert (there / "README.md").read_text().startswith("---\nlicense: mit\nlibrary_name: exlm-chem\n")
    assert (there / "README.md").read_text().endswith(CARD)
    assert json.loads((there / "tokenizer_config.json").read_text())["model_max_length"] == 250
    vectors = [ExLM.from_pretrained(path, "cpu").embed("CCO") for path in (model, there)]
    assert np.array_equal(*vectors)


def test_a_predictor_takes_the_encoder_next_door_along(tiny_predictors: Path, tmp_path: Path, hub: Path) -> None:
    shutil.copytree(tiny_predictors, tmp_path / "models")
    (tmp_path / "models/pass/README.md").write_text(CARD)
    publish(tmp_path / "models/pass", "me/pass", "cc0-1.0")
    shutil.rmtree(tmp_path / "models")
    expected = Predictor.from_pretrained(tiny_predictors / "pass", "cpu").score(["CCO"])
    assert np.array_equal(Predictor.from_pretrained(hub / "me/pass", "cpu").score(["CCO"]), expected)


def test_what_is_missing_is_told_and_nothing_is_uploaded(model: Path, hub: Path) -> None:
    assert "names no licence" in publish(model, "me/mine", dry_run=True).problems[0]
    with pytest.raises(ExLMError, match=r"nothing was uploaded: .* names no licence"):
        publish(model, "me/mine")
    (model / "README.md").write_text(f"---\nlicense: mit\n---\n{CARD}")
    assert publish(model, "me/mine", dry_run=True).problems == ()
    (model / "README.md").write_text(f"---\ntags: [x]\n---\nlicense: none\n{CARD}")
    assert "names no licence" in publish(model, "me/mine", dry_run=True).problems[0]
    (model / "README.md").unlink()
    assert "README.md is missing" in publish(model, "me/mine", "mit", dry_run=True).problems[0]
    with pytest.raises(ExLMError, match="is no repository of the Hub"):
        publish(model, "mine", "mit", dry_run=True)
    assert not hub.exists()


def test_without_the_library_a_sentence_says_so(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert publish(model, "me/mine", "mit", dry_run=True).problems == ()
    with pytest.raises(ExLMError, match="models publish needs huggingface_hub"):
        publish(model, "me/mine", "mit")


def test_a_model_of_text_is_not_called_chemistry(model: Path, word_tokenizer: Path, hub: Path) -> None:
    tokenizer = TextTokenizer.from_pretrained(word_tokenizer)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = ExLMConfig(vocab_size=tokenizer.vocab_size, mask_token_id=tokenizer.mask_id, **sizes)
    shutil.rmtree(model)
    ExLMForMaskedLM(config).save_pretrained(model)
    tokenizer.save_pretrained(model)
    (model / "README.md").write_text(CARD)
    publish(model, "me/words", "mit")
    assert "\ntags: [text, exlm]\n" in (hub / "me/words/README.md").read_text()
