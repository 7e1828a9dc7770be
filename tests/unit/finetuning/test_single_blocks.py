"""How good the same heads are on one block alone."""

from types import SimpleNamespace

import numpy as np
import pytest

from exlm_chem.finetuning.single_blocks import judge_blocks
from exlm_chem.heads.average import AverageHead
from exlm_chem.heads.calibrated import CalibratedHead
from exlm_chem.heads.calibration import Calibration, Curve
from exlm_chem.heads.linear import LinearHead

RANDOM = np.random.default_rng(0)
X = {name: RANDOM.normal(size=(60, 3)).astype(np.float32) for name in ("exlm", "descriptors")}
Y = (X["exlm"][:, :1] > 0).astype(float)
MATERIAL = SimpleNamespace(
    dataset=SimpleNamespace(labels=Y, bounds=np.zeros(Y.shape, np.int8)),
    task=SimpleNamespace(kind="classification", columns=[SimpleNamespace(name="active")]),
    split=SimpleNamespace(test=list(range(40, 60))),
    rows=lambda rows: {name: values[rows] for name, values in X.items()},
)


def test_each_block_of_an_average_is_judged_by_its_own_members():
    train = {name: values[:40] for name, values in X.items()}
    head = AverageHead(["linear"]).fit(train, Y[:40], "classification", range(40))
    judged = judge_blocks(MATERIAL, head, 0)
    assert list(judged) == ["exlm", "descriptors"]
    assert judged["exlm"]["roc_auc"] > 0.95 > judged["descriptors"]["roc_auc"]
    assert judged["exlm"]["interval"][0] <= judged["exlm"]["roc_auc"] <= judged["exlm"]["interval"][1]
    assert judge_blocks(MATERIAL, CalibratedHead.of(head, Calibration((Curve(shift=1.0),))), 0) == judged


@pytest.mark.parametrize("blocks", [["exlm"], ["exlm", "descriptors"]])
def test_there_is_nothing_to_compare_for_one_block_or_one_head(blocks):
    x = {name: X[name] for name in blocks}
    head = LinearHead() if len(blocks) > 1 else AverageHead(["linear"])
    assert judge_blocks(MATERIAL, head.fit(x, Y, "classification", range(60)), 0) == {}


def test_nothing_is_said_without_a_test_part():
    head = AverageHead(["linear"]).fit(X, Y, "classification", range(60))
    material = SimpleNamespace(**{**vars(MATERIAL), "split": SimpleNamespace(test=[])})
    assert judge_blocks(material, head, 0) == {}
