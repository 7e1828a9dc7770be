"""Model directories through the classes of transformers: the numbers are ours, and what is written is ours again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.model_directory import check, write_model
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM, prepare_inputs
from exlm_chem.modeling.config_file import read_config
from exlm_chem.modeling.marginals import marginals
from exlm_chem.tokenizer import ExLMTokenizer

transformers = pytest.importorskip("transformers")
pytest.importorskip("exlm_chem.hf")
AutoModel, AutoModelForMaskedLM = transformers.AutoModel, transformers.AutoModelForMaskedLM
AutoConfig, AutoTokenizer, pipeline = transformers.AutoConfig, transformers.AutoTokenizer, transformers.pipeline

SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "CCO", "C"]  # in the order in which `ExLM` batches them: equal bit by bit
TOKENIZER = ExLMTokenizer()
CONFIG = ExLMConfig(
    vocab_size=TOKENIZER.vocab_size,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=64,
    max_positions=64,
    initializer_range=0.3,
    mask_token_id=TOKENIZER.mask_id,
)


@pytest.fixture(params=["exlm", "mlm"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A model directory whose weights are kept in half precision, as of the model that ships."""
    torch.manual_seed(0)
    model = ExLMForMaskedLM(replace(CONFIG, objective=request.param, molecule_objectives={"ecfp": 8})).eval()
    write_model(tmp_path / "model", model, TOKENIZER)
    model.save_pretrained(tmp_path / "model", torch.float16)
    return tmp_path / "model"


def batch(directory: Path, smiles: list[str]) -> dict[str, torch.Tensor]:
    tokens: dict[str, torch.Tensor] = AutoTokenizer.from_pretrained(directory)(
        smiles, padding=True, return_tensors="pt"
    )
    return tokens


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_vectors_are_those_of_embed(directory: Path, capfd: Any) -> None:
    tokenizer, model = AutoTokenizer.from_pretrained(directory), AutoModel.from_pretrained(directory)
    expected = ExLM.from_pretrained(directory, "cpu", "torch").embed(SMILES)
    with torch.inference_mode():
        output = model(**batch(directory, SMILES), output_hidden_states=True)
    assert np.array_equal(output.pooler_output.numpy(), expected)
    assert tokenizer.model_max_length == model.config.sizes.max_tokens
    assert torch.equal(output.hidden_states[-1], output.last_hidden_state)
    assert len(output.hidden_states) == 3
    found = np.array(pipeline("feature-extraction", model=str(directory), device="cpu")(SMILES[1]))
    np.testing.assert_allclose(found[0, 1:-1].mean(0), expected[1], atol=1e-5)
    np.testing.assert_allclose(found, output.last_hidden_state[1:2, :5], atol=1e-5)
    assert "[transformers]" not in capfd.readouterr().err  # nor a warning


def test_masks_have_the_marginals_and_the_loss_of_the_model(directory: Path) -> None:
    ids = torch.tensor(TOKENIZER.pad([TOKENIZER.encode(one) for one in ("CCO", "CC(=O)N", "C")]))
    labels = torch.full_like(ids, -100)
    for place in ((0, 2), (1, 1), (1, 5)):
        labels[place], ids[place] = ids[place], TOKENIZER.mask_id
    ours, theirs = ExLMForMaskedLM.from_pretrained(directory), AutoModelForMaskedLM.from_pretrained(directory)
    with torch.inference_mode():
        expected = ours(prepare_inputs(ours.config, ids, labels))
        logits = theirs(ids).logits
        trained = theirs(ids, ids != TOKENIZER.pad_id, labels)
    assert torch.equal(logits[ids == TOKENIZER.mask_id], marginals(expected))
    assert torch.equal(trained.logits, logits)
    assert torch.equal(trained.loss, expected.loss)
    assert logits.shape == (*ids.shape, TOKENIZER.vocab_size)
    best = pipeline("fill-mask", model=str(directory), device="cpu")("CC(=O)<mask>", top_k=2)
    assert best[0]["score"] >= best[1]["score"] > 0
    assert best[0]["sequence"].startswith("CC(=O)")


@pytest.mark.parametrize("kind", [AutoModel, AutoModelForMaskedLM])
def test_what_is_written_is_a_model_directory(kind: Any, directory: Path, tmp_path: Path) -> None:
    model = kind.from_pretrained(directory)
    model.save_pretrained(tmp_path / "again")
    AutoTokenizer.from_pretrained(directory).save_pretrained(tmp_path / "again")
    assert len(check(tmp_path / "again")) == 4
    assert same_weights(model, kind.from_pretrained(tmp_path / "again"))
    vectors = [ExLM.from_pretrained(path, "cpu").embed(SMILES) for path in (directory, tmp_path / "again")]
    assert np.array_equal(*vectors)


def test_what_is_uploaded_is_a_model_directory(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded = []

    def upload(_: Any, folder: str, name: str, *__: Any, **___: Any) -> None:
        uploaded.append((name, read_config(folder)))

    class Hub:
        def create_repo(self, repo_id: str, **_: Any) -> Any:
            return SimpleNamespace(repo_id=repo_id)

    for module in (transformers.modeling_utils, transformers.utils.hub):
        monkeypatch.setattr(module, "hf_api", Hub)
        monkeypatch.setattr(module, "create_and_tag_model_card", lambda *_, **__: SimpleNamespace(save=lambda _: None))
    model = AutoModel.from_pretrained(directory)
    monkeypatch.setattr(type(model), "_upload_modified_files", upload)
    model.save_pretrained(tmp_path / "again", push_to_hub=True, repo_id="me/again")
    model.push_to_hub("me/again")
    assert uploaded == [("me/again", read_config(tmp_path / "again"))] * 2


def test_weights_in_pieces_are_refused(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(ExLMError, match=r"has its weights in model\.safetensors: no max_shard_size"):
        AutoModel.from_pretrained(directory).save_pretrained(tmp_path / "again", max_shard_size="10KB")


def test_parts_that_a_directory_lacks_are_initialised(directory: Path, tmp_path: Path) -> None:
    AutoModel.from_pretrained(directory).save_pretrained(tmp_path / "encoder")
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "encoder")  # transformers says which they are
    assert all(value.isfinite().all() for value in model.parameters())
    assert not model.lm_head.bias.any()
    fresh = AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(directory))
    assert not same_weights(model, fresh)
    assert fresh.lm_head.dense.weight.std().item() == pytest.approx(CONFIG.initializer_range, rel=0.2)


def test_what_cannot_be_read_is_refused(directory: Path) -> None:
    model = AutoModel.from_pretrained(directory)
    with pytest.raises(ExLMError, match="padded on the left or inside"):
        model(torch.tensor([[1, 0, 7, 2]]))
    with pytest.raises(ExLMError, match="too long for this model"):
        model(torch.tensor([[0, *[7] * 70, 2]]))
    inside = torch.tensor([[0, 7, TOKENIZER.pad_id, 2]])  # drawn at random by a collator: not padding
    assert model(inside, torch.ones_like(inside)).last_hidden_state.isfinite().all()


def test_sentence_transformers_gives_the_same_vectors(directory: Path) -> None:
    sentences = pytest.importorskip("sentence_transformers")
    model = sentences.SentenceTransformer(str(directory), device="cpu")
    assert np.array_equal(model.encode(SMILES), ExLM.from_pretrained(directory, "cpu", "torch").embed(SMILES))


@pytest.mark.parametrize(
    ("settings", "labels"),
    [
        ({"num_labels": 1, "problem_type": "regression"}, [[0.5], [-1.0], [2.0]]),
        ({"num_labels": 3}, [0, 2, 1]),
        ({"num_labels": 2, "problem_type": "multi_label_classification"}, [[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]),
    ],
)
def test_labels_of_molecules_are_learnt_written_and_read(
    settings: dict[str, Any], labels: Any, directory: Path, tmp_path: Path
) -> None:
    kind = transformers.AutoModelForSequenceClassification
    torch.manual_seed(0)
    model = kind.from_pretrained(directory, **settings)
    tokens, wanted = batch(directory, SMILES), torch.tensor(labels)
    trained = torch.optim.Adam(model.parameters(), 0.01)
    losses = []
    for _ in range(30):
        loss = model(**tokens, labels=wanted).loss
        trained.zero_grad()
        loss.backward()
        trained.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    model.save_pretrained(tmp_path / "again")
    TOKENIZER.save_pretrained(tmp_path / "again")
    again = kind.from_pretrained(tmp_path / "again")
    assert same_weights(model, again)
    assert (again.num_labels, again.config.problem_type) == (settings["num_labels"], model.config.problem_type)
    vectors = [ExLM.from_pretrained(path, "cpu").embed(SMILES) for path in (directory, tmp_path / "again")]
    assert not np.allclose(*vectors, atol=1e-3)
    with torch.inference_mode():
        found = AutoModel.from_pretrained(tmp_path / "again")(**tokens).pooler_output
        torch.testing.assert_close(model.eval()(**tokens).logits, again(**tokens).logits)
    np.testing.assert_allclose(found, vectors[1], atol=1e-5)


def test_predictions_by_the_pipeline(directory: Path) -> None:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(directory, num_labels=2)
    classify = pipeline("text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(directory))
    assert sum(one["score"] for one in classify(SMILES[1], top_k=2)) == pytest.approx(1)


def test_texts_with_several_ends_or_none_around_them_are_filled(directory: Path) -> None:
    model, mask = AutoModelForMaskedLM.from_pretrained(directory).eval(), TOKENIZER.mask_id
    for rows in ([[0, 7, mask, 2, 8, mask, 2]], [[0, 7, mask, 2, 8, 7, 2], [0, mask, 2, 1, 1, 1, 1]], [[7, mask, 2]]):
        ids = torch.tensor(rows)
        labels = torch.where(ids == mask, 9, -100)
        with torch.inference_mode():
            logits = model(ids, labels=labels).logits
            alone = [model(row[row != 1][None]).logits[0, :3] for row in ids]
        masked = ids == mask
        torch.testing.assert_close(logits[masked].exp().sum(1), torch.ones(int(masked.sum())))
        torch.testing.assert_close(logits[:, :3], torch.stack(alone), atol=1e-4, rtol=1e-4)
