"""Training encoder and head together."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.methods.full import Examples, _batches, best_epoch, train_full
from exlm_chem.finetuning.methods.registry import METHODS
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.heads.linear import fit_linear_head
from exlm_chem.heads.property_head import ExLMForMoleculeProperty, PropertyHead
from exlm_chem.modeling.property_loss import property_loss

DATA = Path(__file__).parents[2] / "data"
NAN = float("nan")
SMILES = ["CCO", "c1ccccc1", "CC(=O)O", "CCN", "C1CCCCC1", "CC(C)C", "OCCO", "c1ccncc1", "CCCl", "CS", "CC=O", "N#CC"]
VALUES = np.array([[3.0], [-1.0], [0.5], [8.0], [2.0], [-4.0], [1.0], [5.0], [-2.0], [7.0], [0.0], [4.0]])


@pytest.fixture
def embedder(tiny_model):
    return ExLM.from_pretrained(tiny_model, "cpu")


def examples(embedder, labels, smiles=SMILES):
    return measured([embedder.read(one).token_ids for one in smiles], labels)


def measured(ids, labels):
    return Examples(ids, labels, np.ones_like(labels), np.zeros(labels.shape, np.int8))


def start(embedder, labels, kind):
    head, _ = fit_linear_head(embedder.embed(SMILES), labels, kind, SMILES)
    return head


def zero_head(embedder, labels):
    """A head that predicts the mean, so that everything is left to be learnt."""
    head = PropertyHead(embedder.width, labels.shape[1])
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
        head.label_mean.copy_(torch.from_numpy(labels.mean(0)))
        head.label_scale.copy_(torch.from_numpy(labels.std(0)))
    return head


def predict(embedder, head):
    with torch.inference_mode():
        return head(torch.from_numpy(embedder.embed(SMILES))).numpy()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_tiny_set_is_memorised(embedder, precision):
    head = zero_head(embedder, VALUES)
    data = examples(embedder, VALUES)
    options = FinetuningOptions(
        epochs=40, patience=40, batch_size=4, learning_rate=2e-3, dropout=0.0, precision=precision
    )
    trained, head, history = train_full(embedder, head, data, data, "regression", options)
    assert np.sqrt(((predict(trained, head) - VALUES) ** 2).mean()) < 0.05 * VALUES.std()
    assert best_epoch(history).valid_loss < 0.01
    assert history[0].valid_loss == pytest.approx(1)
    assert trained.fingerprint != embedder.fingerprint


def test_low_precision_is_near_and_not_the_same(embedder):
    data, head = examples(embedder, VALUES + 1000), start(embedder, VALUES + 1000, "regression")
    losses = []
    for precision in ("fp32", "bf16"):
        options = FinetuningOptions(epochs=2, batch_size=4, learning_rate=1e-4, dropout=0.0, precision=precision)
        trained, _, history = train_full(embedder, head, data, data, "regression", options)
        losses.append([one.valid_loss for one in history])
        assert next(trained.model.parameters()).dtype == torch.float32
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[0], losses[1], atol=0.05)  # of the labels' variance


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_the_scale_of_labels_decides_nothing(embedder, factor):
    options = FinetuningOptions(epochs=3, patience=3, batch_size=4, dropout=0.0)

    def losses(labels):
        data = examples(embedder, labels)
        head = start(embedder, labels, "regression")
        return [one.valid_loss for one in train_full(embedder, head, data, data, "regression", options)[2]]

    np.testing.assert_allclose(losses(VALUES * factor), losses(VALUES), rtol=1e-3)


def test_classes_are_memorised_where_labels_are_known(embedder):
    labels = np.stack([np.arange(12) % 2, np.arange(12) // 6, np.arange(12) % 3 == 0], axis=1).astype(float)
    labels[1:4, 0] = NAN
    labels[7, 1] = NAN
    data = examples(embedder, labels)
    options = FinetuningOptions(epochs=60, patience=60, batch_size=5, learning_rate=2e-3, dropout=0.0)
    head = zero_head(embedder, np.zeros((1, 3)))
    head.label_scale.fill_(1)
    trained, head, _ = train_full(embedder, head, data, data, "classification", options)
    known = ~np.isnan(labels)
    assert ((predict(trained, head) > 0) == (labels == 1))[known].all()


def test_an_unknown_label_gives_exactly_no_gradient(embedder):
    config = embedder.model.config
    for kind in ("classification", "regression"):
        torch.manual_seed(0)
        model = ExLMForMoleculeProperty(config, num_properties=2)
        ids = torch.from_numpy(embedder.tokenizer.pad([embedder.read(one).token_ids for one in SMILES[:3]]))
        property_loss(model(ids), torch.tensor([[1.0, NAN], [0.0, NAN], [NAN, NAN]]), kind).backward()
        gradient = model.head.out_proj.weight.grad
        assert (gradient[1] == 0).all()
        assert (model.head.out_proj.bias.grad[1] == 0).all()
        assert (gradient[0] != 0).any()
        # the molecule without any label might as well not be there: not even its tokens move
        only_third = set(ids[2].tolist()) - set(ids[:2].flatten().tolist())
        assert only_third
        assert (model.model.encoder.tok_embeddings.weight.grad[sorted(only_third)] == 0).all()
        model.zero_grad()
        property_loss(model(ids), torch.full((3, 2), NAN), kind).backward()
        assert all((p.grad == 0).all() for p in model.parameters() if p.grad is not None)


def test_best_weights_are_those_that_are_kept(embedder):
    # Labels of validation are the opposite: every step makes it worse, so the start has to win.
    data, opposite = examples(embedder, VALUES), examples(embedder, -VALUES)
    head = start(embedder, VALUES, "regression")
    options = FinetuningOptions(epochs=20, patience=3, batch_size=4, learning_rate=5e-3)
    trained, new_head, history = train_full(embedder, head, data, opposite, "regression", options)
    assert best_epoch(history).epoch == min(range(len(history)), key=lambda index: history[index].valid_loss)
    assert len(history) - 1 == best_epoch(history).epoch + 3
    loss = property_loss(
        torch.from_numpy(predict(trained, new_head)), -torch.from_numpy(VALUES), "regression", new_head.label_scale
    )
    assert float(loss) == pytest.approx(best_epoch(history).valid_loss, rel=1e-4)


def test_first_epoch_starts_from_the_linear_head(embedder):
    head = start(embedder, VALUES, "regression")
    before = predict(embedder, head)
    data = examples(embedder, VALUES)
    _, _, history = train_full(embedder, head, data, data, "regression", FinetuningOptions(epochs=1))
    error = ((before - VALUES) ** 2).mean() / VALUES.std() ** 2
    assert history[0].valid_loss == pytest.approx(error, rel=1e-4)
    np.testing.assert_array_equal(predict(embedder, head), before)  # neither encoder nor head is changed in place


def test_the_seed_fixes_the_result_and_leaves_torch_alone(embedder):
    head, data = zero_head(embedder, VALUES), examples(embedder, VALUES)
    options = FinetuningOptions(epochs=2, batch_size=4)
    state = torch.get_rng_state()
    results = [
        predict(*train_full(embedder, head, data, data, "regression", options, seed=seed)[:2]) for seed in (1, 1, 2)
    ]
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


@pytest.mark.parametrize(("count", "size"), [(1, 4), (9, 4), (1631, 32), (8, 1)])
def test_an_epoch_shows_every_molecule_once_in_as_many_steps_as_the_schedule_expects(embedder, count, size):
    ids = [[0] + [5] * (1 + index % 7) + [2] for index in range(count)]
    labels = np.arange(count, dtype=np.float64)[:, None]
    batches = list(_batches(measured(ids, labels), embedder.tokenizer, size, np.random.default_rng(0)))
    assert len(batches) == -(-count // size)
    assert sorted(torch.cat([label for _, label, *_ in batches]).ravel().tolist()) == list(range(count))
    assert all(((row != 1).sum(1) == label[:, 0] % 7 + 3).all() for row, label, *_ in batches)


@pytest.mark.parametrize(("method", "rate"), [("full", 2e-3), ("lora", 3e-3)])
def test_real_molecules_are_memorised_and_the_predictor_is_plain(embedder, method, rate, tmp_path):
    table = pd.read_csv(DATA / "esol_150.csv").iloc[:32]
    smiles, labels = table.iloc[:, 0].tolist(), table.iloc[:, 1:2].to_numpy(float)
    data = examples(embedder, labels, smiles)
    options = FinetuningOptions(
        method=method, rank=32, epochs=30, patience=30, batch_size=8, learning_rate=rate, dropout=0.0
    )
    trained, head, _ = train_full(embedder, zero_head(embedder, labels), data, data, "regression", options)
    with torch.inference_mode():
        error = head(torch.from_numpy(trained.embed(smiles))).numpy() - labels
    assert 1 - (error**2).sum() / ((labels - labels.mean()) ** 2).sum() > 0.95
    trained.save_pretrained(tmp_path)
    np.testing.assert_allclose(ExLM.from_pretrained(tmp_path, "cpu").embed(smiles), trained.embed(smiles), atol=1e-5)
    before, after = (one.model.state_dict() for one in (embedder, trained))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert before.keys() == after.keys()
    only_attention = {name.rpartition(".attn.")[2] for name in changed} == {"Wqkv.weight", "Wo.weight"}
    assert only_attention == (method == "lora")


def test_lora_needs_its_library(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ExLMError, match="--method lora needs PEFT; install it with"):
        METHODS["lora"].check(None, None)
