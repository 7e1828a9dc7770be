"""Marginals and chains agree with sums over everything that could stand in the masks."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from exlm_chem.analysis.marginals import all_marginals, chained
from exlm_chem.analysis.masked import MaskedMolecules, mask_ids
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
from exlm_chem.modeling.inputs import prepare_inputs
from exlm_chem.terms import Objective
from exlm_chem.tokenizer import ExLMTokenizer

WORDS = 9


def small_model(objective: Objective, **changes: object) -> ExLMForMaskedLM:
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "num_states": 2}
    config = ExLMConfig(vocab_size=WORDS, objective=objective, initializer_range=0.3, **sizes | changes)  # type: ignore[arg-type]
    torch.manual_seed(0)
    return ExLMForMaskedLM(config).eval()


@pytest.mark.parametrize("changes", [{}, {"state_graph": "next"}, {"state_graph": "even"}])
def test_marginals_are_sums_of_joint_probabilities(changes: dict[str, str]) -> None:
    model = small_model("exlm", **changes)
    ids = np.array([[0, 4, 7, 4, 2]])
    pairs = list(itertools.product(range(WORDS), repeat=2))
    labels = np.full((len(pairs), 5), -100)
    labels[:, [1, 3]] = pairs
    inputs = prepare_inputs(model.config, torch.from_numpy(ids.repeat(len(pairs), 0)), torch.from_numpy(labels))
    joint = model(inputs).log_likelihood.softmax(0).view(WORDS, WORDS)  # all that may stand in the two masks
    _, scores = all_marginals(model, MaskedMolecules(ids, labels[[7 * WORDS + 8]]))
    torch.testing.assert_close(scores.exp(), torch.stack([joint[7].sum(), joint[:, 8].sum()]))


def test_chain_of_one_mask_is_its_marginal_and_the_last_of_two_knows_the_first() -> None:
    model = small_model("mlm")
    ids, labels = np.array([[0, 4, 7, 4, 2]]), np.array([[-100, 5, -100, 6, -100]])
    _, scores = chained(model, MaskedMolecules(ids, labels), seed=0)
    first, second = (1, 3) if np.isclose(_one(model, [0, 4, 7, 4, 2], 1, 5), float(scores[0])) else (3, 1)
    filled = ids[0].copy()
    filled[first] = labels[0, first]
    expected = _one(model, filled.tolist(), second, int(labels[0, second]))
    assert float(scores[1]) == pytest.approx(expected, abs=1e-5)


def _one(model: ExLMForMaskedLM, ids: list[int], place: int, token: int) -> float:
    labels = torch.full((1, len(ids)), -100)
    labels[0, place] = token
    return float(model(prepare_inputs(model.config, torch.tensor([ids]), labels)).log_likelihood.detach())


def test_masks_are_of_their_kind_and_nothing_else_changes() -> None:
    tokenizer = ExLMTokenizer()
    ids = tokenizer.pad([tokenizer.encode(smiles) for smiles in ("CCOC(=O)c1ccccc1", "CCO", "C")])
    for kind in ("token", "pair", "span", "fragment"):
        masked = mask_ids(ids, tokenizer, kind, 0.3, np.random.default_rng(0))
        assert (masked.original == ids).all()
        assert ((masked.input_ids == tokenizer.mask_id) == (masked.labels >= 0)).all()
    pair = mask_ids(ids, tokenizer, "pair", 0.3, np.random.default_rng(0)).labels >= 0
    assert pair.sum(1).tolist() == [2, 2, 1]
    assert np.diff(np.flatnonzero(pair[0])).tolist() == [1]


def test_batches_hold_every_molecule_once(tmp_path: Path) -> None:
    ids = np.array([[0, 5, 6, 2], [0, 5, 2, 1], [0, 7, 6, 2]])
    parts = list(MaskedMolecules(ids, np.full_like(ids, -100)).batches(2, pad_id=1))
    assert [part.input_ids.shape for part in parts] == [(2, 4), (1, 4)]
    assert sorted(row for part in parts for row in part.input_ids.tolist()) == sorted(ids.tolist())
