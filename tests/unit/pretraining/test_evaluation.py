"""What is measured on the validation part."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM, prepare_inputs
from exlm_chem.pretraining.batching import Batch
from exlm_chem.pretraining.evaluation import evaluate

CONFIG = {
    "vocab_size": 30,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_positions": 128,
}
GOOD = [0, 9, 4, 8, 4, 2]
NO_PATH = [0, 9, 4, 8, 4, 7]  # ends in no state
UNMASKED = [0, 9, 5, 8, 5, 2]
CPU = torch.device("cpu")


def measured(model: ExLMForMaskedLM, *batches: list[list[int]]) -> dict[str, float]:
    def batch(rows: list[list[int]]) -> Batch:
        ids = torch.tensor(rows)
        labels: Tensor = torch.where(ids == 4, 12, -100)
        return Batch(prepare_inputs(model.config, ids, labels), molecules=len(rows))

    return evaluate(model, map(batch, batches), CPU)


def made(objective: str) -> ExLMForMaskedLM:
    torch.manual_seed(0)
    return ExLMForMaskedLM(ExLMConfig(**CONFIG, objective=objective))


def test_rows_without_a_path_are_counted_and_change_no_mean() -> None:
    model = made("exlm")
    expected = {**measured(model, [GOOD]), "infeasible": 2}
    for batches in ([[GOOD, NO_PATH, NO_PATH]], [[NO_PATH], [GOOD, UNMASKED], [NO_PATH]]):
        assert measured(model, *batches) == pytest.approx(expected, nan_ok=True, rel=1e-5)


@pytest.mark.parametrize(("objective", "rows"), [("exlm", [[NO_PATH], [UNMASKED]]), ("mlm", [[UNMASKED]])])
def test_nothing_to_measure_is_nan_and_never_a_division_by_zero(objective: str, rows: list[list[list[int]]]) -> None:
    model = made(objective)
    for batches in ([], rows):
        found = measured(model, *batches)
        infeasible = found.pop("infeasible")
        assert infeasible == sum(batch == [NO_PATH] for batch in batches)
        assert all(math.isnan(value) for value in found.values())


def test_the_loss_of_a_plain_model_is_the_mean_over_all_masked_tokens() -> None:
    found = measured(made("mlm"), [[0, 4, 2]], [[0, 4, 4, 4, 9, 4, 2], [0, 4, 4, 4, 4, 4, 2]])
    assert found["validation_loss"] == pytest.approx(found["loss_per_masked_token"])
