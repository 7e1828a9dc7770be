"""What every stage promises: a cell per row and column, the same in any company, None where there is no answer."""

from __future__ import annotations

import re

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.features.ecfp import EcfpBlock
from exlm_chem.prediction.stages.background import Background, NotKeptError, StageSettings
from exlm_chem.prediction.stages.registry import STAGES, make_stages
from exlm_chem.prediction.stages.stage import Molecules, Rows
from exlm_chem.predictors.task import OutputColumn
from exlm_chem.predictors.training_molecules import TrainingMolecules
from tests.smiles_examples import DRUGS

RNG = np.random.default_rng(0)
COUNT = len(DRUGS)
VECTORS = EcfpBlock(bits=64)  # stands for an encoder
COLUMNS = {
    "classification": (OutputColumn("a", "A", threshold=0.5), OutputColumn("b", "B", threshold=0.3)),
    "regression": (OutputColumn("a", "A", unit="m"), OutputColumn("b", "B", unit="s")),
}
LABELS = {"classification": RNG.integers(0, 2, (COUNT, 2)), "regression": RNG.normal(size=(COUNT, 2))}


def background(kind, **changes) -> Background:
    labels = LABELS[kind].astype(float)
    guesses = np.clip(labels + RNG.normal(0, 0.2, labels.shape), 0, 1) if kind == "classification" else labels + 0.1
    training = TrainingMolecules.collect(DRUGS, labels, guesses, VECTORS.compute(DRUGS))
    known = {
        "training": lambda: training,
        "vectors": VECTORS,
        "shares": np.full((3, 2), 1 / 3),
        "predict": lambda texts: np.zeros((len(texts), 2)),
    }
    return Background("own", kind, COLUMNS[kind], **{**known, **changes})


def rows(texts) -> Rows:
    rng = np.random.default_rng(1)
    lines = {text: rng.random((3, 2)) for text in [*DRUGS, "CCO", "CCN"]}
    members = np.array([lines.get(text, np.full((3, 2), np.nan)) for text in texts]).reshape(len(texts), 3, 2)
    return Rows(Molecules(texts), members.mean(1), members.transpose(1, 0, 2))


TEXTS = [*DRUGS, None, "CCO", "", DRUGS[2], "CCN"]
PLAIN = [name for name in STAGES if name != "explanation"]  # which needs a model and a folder: tests of its own
ALL = [(name, kind) for name in PLAIN for kind in COLUMNS if (name, kind) != ("class", "regression")]


@pytest.fixture(params=ALL, ids="-".join)
def stage(request):
    name, kind = request.param
    (made,) = make_stages([name], background(kind), StageSettings())
    return made


def test_a_cell_of_the_type_for_every_row_and_column(stage) -> None:
    columns = stage.compute(rows(TEXTS))
    assert len(columns) == len(stage.columns)
    for column, cells in zip(stage.columns, columns, strict=True):
        assert len(cells) == len(TEXTS)
        assert {type(cell) for cell in cells} <= {column.type, type(None)}
        for index, text in enumerate(TEXTS):
            if not text:
                assert cells[index] is None


def test_a_row_has_its_cells_alone_and_in_any_order(stage) -> None:
    together = stage.compute(rows(TEXTS))
    alone = [[cell for text in TEXTS for cell in stage.compute(rows([text]))[index]] for index in range(len(together))]
    assert alone == together
    backwards = [cells[::-1] for cells in stage.compute(rows(TEXTS[::-1]))]
    assert backwards == together


def test_no_rows(stage) -> None:
    assert stage.compute(rows([])) == [[] for _ in stage.columns]


def test_every_column_says_what_it_means(stage) -> None:
    names = [column.name for column in stage.columns]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in names)
    assert all(len(column.meaning) > 5 and column.meaning.endswith(".") for column in stage.columns)


def test_all_columns_have_names_of_their_own() -> None:
    names = [
        column.name for stage in make_stages(PLAIN, background("classification"), StageSettings())
        for column in stage.columns
    ]  # fmt: skip
    assert len(set(names)) == len(names) > 25


def test_what_is_the_same_for_all_predictors_stands_once() -> None:
    first, second = (
        make_stages(["class", "descriptors"], background("classification"), StageSettings(), first=first)
        for first in (True, False)
    )
    assert (len(first), len(second)) == (2, 1)


def test_by_default_there_is_what_the_predictor_has() -> None:
    full = make_stages(None, background("regression"), StageSettings())
    assert [column.name for stage in full for column in stage.columns][:4] == ["a_low", "a_high", "b_low", "b_high"]
    bare = Background("own", "regression", COLUMNS["regression"])
    assert make_stages(None, bare, StageSettings()) == []
    assert make_stages(["spread"], bare, StageSettings()) == []


@pytest.mark.parametrize("name", ["interval", "percentile", "domain", "novelty", "neighbours"])
def test_what_was_asked_for_and_is_not_there_is_told(name) -> None:
    with pytest.raises(NotKeptError, match="'own' keeps no training molecules"):
        make_stages([name], Background("own", "regression", COLUMNS["regression"]), StageSettings())


def test_a_stage_that_is_none() -> None:
    with pytest.raises(ExLMError, match=r"no columns 'sparkle'; --columns takes class, interval"):
        make_stages(["sparkle"], background("regression"), StageSettings())


def test_features_are_computed_once() -> None:
    calls = []

    class Counting(EcfpBlock):
        def compute(self, molecules):
            calls.append(len(molecules))
            return super().compute(molecules)

    molecules = Molecules(["CCO", None, "CCO"])
    block = Counting(bits=32)
    assert molecules.features(block) is molecules.features(Counting(bits=32))
    assert calls == [1]
    known = {block.fingerprint: np.ones((1, 32), np.float32)}
    told = Molecules(["CCO"])
    told.learn(known)
    assert told.features(block).sum() == 32
