"""Which compounds come first, and that this needs no more memory than the best ones."""

import csv

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.prediction.ranking import RankingOptions, _Best, rank_file
from exlm_chem.predictors.predictor import Predictor
from tests.unit.smiles.nasty import cyclodextrin

SMILES = ["C" * size + end for size in range(1, 9) for end in ("O", "N", "c1ccccc1", "C(=O)O")]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("smiles,rank\n" + "".join(f"{one},mine\n" for one in [*SMILES, "C1CC", "OCC", ""]))
    return path


def ranked(source, predictor, **options):
    out = source.with_name("out.csv")
    summary = rank_file(source, predictor, out, RankingOptions(device="cpu", **options))
    with out.open() as file:
        return list(csv.DictReader(file)), summary


def test_the_best_come_first_and_each_molecule_once(source, tiny_predictors):
    predictor = Predictor.from_pretrained(tiny_predictors / "sol", "cpu")
    values = predictor.predict(SMILES)["logd"].to_numpy()
    rows, summary = ranked(source, predictor, column="logd", minimize=True, number=5)
    assert [row["smiles"] for row in rows] == [SMILES[index] for index in np.argsort(values)[:5]]
    assert [(row["sol_rank"], row["rank"]) for row in rows] == [(str(place), "mine") for place in range(1, 6)]
    assert summary.rows == len(SMILES) + 3
    rows, _ = ranked(source, predictor, column="logd", maximize=True, number=96)
    assert [row["smiles"] for row in rows] == [SMILES[index] for index in np.argsort(-values)]


def test_diverse_ones_are_unlike_each_other(source, tiny_predictors):
    predictor = Predictor.from_pretrained(tiny_predictors / "pass", "cpu")
    rows, summary = ranked(source, predictor, maximize=True, number=96, diverse=True)
    every, _ = ranked(source, predictor, maximize=True, number=96)
    assert rows[0]["smiles"] == every[0]["smiles"]
    assert 1 < len(rows) < len(every)
    assert "for more, give a smaller --distance" in summary.reading[-1]


def test_a_molecule_of_many_rings_is_among_the_diverse_ones(tmp_path, tiny_predictors):
    (tmp_path / "in.csv").write_text(f"smiles\nCCO\n{cyclodextrin(8)}\nc1ccccc1\n")
    predictor = Predictor.from_pretrained(tiny_predictors / "pass", "cpu")
    rows, _ = ranked(tmp_path / "in.csv", predictor, maximize=True, number=3, diverse=True)
    assert {row["smiles"] for row in rows} == {"CCO", cyclodextrin(8), "c1ccccc1"}


def test_what_cannot_be_ranked_is_said(source, tiny_predictors):
    for model, options, sentence in (
        ("sol", {}, "'sol' has several columns; name one with --column: sol, logd"),
        ("sol", {"column": "x"}, "has no column 'x'; it has sol, logd"),
        ("pass", {}, "does not say whether more of pass is better; give --maximize or --minimize"),
        ("pass", {"by": "ei", "maximize": True}, "ei needs the best measured number"),
        ("pass", {"by": "ucb", "maximize": True}, "has no members whose spread would say how sure it is"),
        ("pass", {"skip_known": True, "maximize": True}, "keeps no training molecules"),
    ):
        with pytest.raises(ExLMError, match=sentence):
            ranked(source, tiny_predictors / model, **options)
    with pytest.raises(ExLMError, match="exclude each other"):
        RankingOptions(maximize=True, minimize=True)


def test_known_compounds_are_left_out_and_ei_asks_the_training_part(tmp_path):
    predictor = Predictor.from_pretrained("esol", "cpu")
    (tmp_path / "in.csv").write_text(
        f"smiles\n{predictor.training.texts[0]}\nFCCCC(N)CCCCCCCCCCCBr\nOCC(O)C(O)C(O)CN\n"
    )
    rows, summary = ranked(tmp_path / "in.csv", predictor, by="ei", skip_known=True, maximize=True)
    assert [row["smiles"] for row in rows] == ["OCC(O)C(O)C(O)CN", "FCCCC(N)CCCCCCCCCCCBr"]
    assert all(float(row["score"]) >= 0 for row in rows)
    assert "spread" in "".join([*summary.reading, *rows[0]])


def test_the_best_row_of_a_molecule_counts():
    rng = np.random.default_rng(0)
    offered = [(float(score), f"C{rng.integers(8)}", [row]) for row, score in enumerate(rng.random(2000))]
    best = _Best(5)
    for one in offered:
        best.offer(*one)
        assert len(best._heap) <= 10  # memory does not grow with the rows
    every = {}
    for one in sorted(offered, reverse=True):
        every.setdefault(one[1], one)
    assert best.ordered() == list(every.values())[:5]
    again = _Best(2)
    for score, row in ((1.0, "first"), (1.0 + 1e-7, "second"), (0.5, "third")):
        again.offer(score, "C", [row])
    assert again.ordered() == [(1.0, "C", ["first"])]
