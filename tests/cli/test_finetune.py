"""``exlm-chem finetune`` as a user runs it, on real tables, and its predictors in use."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exlm_chem import model_directory
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.heads import boosting, network, registry
from exlm_chem.predictors.predictor import Predictor
from tests.cli.runner import run, run_here

DATA = Path(__file__).parents[1] / "data"
FIELD_CASES = DATA / "field_cases"
QUICK = ("--features", "exlm", "--head", "linear")


@pytest.fixture
def finetune(monkeypatch, capsys, tiny_model):
    """Run the command in this process with the tiny model."""

    def command(*args):
        quick = () if {"--head", "--features", "--method"} & set(args) else QUICK
        return run_here(monkeypatch, capsys, "finetune", *args, *quick, "-m", tiny_model, "--device", "cpu")

    return command


@pytest.fixture
def predict(monkeypatch, capsys):
    """Run the command in this process."""
    return lambda *args: run_here(monkeypatch, capsys, "predict", *args, "--device", "cpu")


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_classification_from_table_to_predictions(finetune, predict, tiny_model, tmp_path):
    output = tmp_path / "my-bbbp"
    done = finetune(DATA / "bbbp_300.csv", "--task", "bbbp", "-o", output)
    assert (done.status, done.out) == (0, f"{output}\n"), done.err
    log = done.err.splitlines()
    assert log[0].endswith("bbbp_300.csv: 294 molecules, 294 labels")
    assert log[1].startswith("6 rows are left out, the first: line 13: impossible valence")
    assert any(line.startswith("test: roc_auc 0.") for line in log)
    assert [path.name for path in tmp_path.iterdir()] == ["my-bbbp"]  # no temporary directory is left

    task, splits, facts = (load(output / name) for name in ("task.json", "splits.json", "run.json"))
    assert model_directory.check(output)
    assert task["columns"][0]["meaning"].startswith("Probability that the molecule passes")
    assert task["metrics"]["test"]["molecules"] == len(splits["test"]) == 30
    assert sorted(splits["train"] + splits["valid"] + splits["test"] + [r["row"] for r in splits["left_out"]]) == list(
        range(300)
    )
    assert facts["data"]["sha256"] == splits["data_sha256"]
    assert facts["versions"]["torch"]
    card = (output / "README.md").read_text(encoding="utf-8")
    assert "| test | bbbp | 0." in card
    assert str(tiny_model.parent) not in card

    # the metrics are those of the predictions that a user gets
    predicted = predict(DATA / "bbbp_300.csv", "-m", output, "-o", tmp_path / "predicted.csv")
    assert predicted.status == 0, predicted.err
    table = pd.read_csv(tmp_path / "predicted.csv")
    assert table["error"].notna().sum() == 6
    from sklearn.metrics import roc_auc_score

    for part in ("valid", "test"):
        rows = table.iloc[splits[part]]
        assert roc_auc_score(rows["p_np"], rows["bbbp"]) == pytest.approx(task["metrics"][part]["roc_auc"], abs=1e-3)


def test_regression_with_the_kind_seen_from_the_labels(finetune, tmp_path):
    target = "measured log solubility in mols per litre"
    output = tmp_path / "logs"
    options = ("--target", target, "-o", output, "--split", "random", "--seed", 7, "--seeds", 2)
    done = finetune(DATA / "esol_150.csv", *options)
    assert done.status == 0, done.err
    assert f"esol_150.csv: column '{target}': taken as measurements\n" in done.err
    task = load(output / "task.json")
    labels = pd.read_csv(DATA / "esol_150.csv").iloc[load(output / "splits.json")["train"]][target]
    assert task["columns"][0]["range"] == [labels.min(), labels.max()]
    assert 0.3 < task["metrics"]["test"]["rmse"] < labels.std()
    assert task["name"] == "logs"
    assert [one["seed"] for one in load(output / "run.json")["runs"]] == [7, 8]
    values = Predictor.from_pretrained(output).predict(["CCO", "c1ccc2ccccc2c1"])[target]
    assert values[0] > values[1]  # ethanol is more soluble than naphthalene


def test_several_assays_with_missing_labels_trained_in_full(finetune, tmp_path):
    output = tmp_path / "assays"
    assays = ["NR-AhR", "SR-MMP", "SR-p53"]
    options = [option for assay in assays for option in ("--target", assay)]
    options += ["--method", "full", "--epochs", "2", "--standardise", "parent", "--pooling", "first"]
    done = finetune(DATA / "tox21_200.csv", *options, "-o", output)
    assert done.status == 0, done.err
    assert "of 2 is the best on the validation part" in done.err
    task, facts = load(output / "task.json"), load(output / "run.json")
    known = pd.read_csv(DATA / "tox21_200.csv")[assays].notna().sum().sum()
    assert facts["data"]["known_labels"] == known < 600
    assert (task["standardise"], task["pooling"], len(task["columns"])) == ("parent", "first", 3)
    assert len(facts["runs"][0]["history"]) == 3
    predictor = Predictor.from_pretrained(output)
    table = predictor.predict(["CC(=O)[O-].[Na+]", "nothing"])
    assert table.loc[0, "smiles_used"] == "CC(=O)O"
    assert np.isnan(table.loc[1, assays].astype(float)).all()
    assert table.loc[0, assays].between(0, 1).all()


def test_an_inner_layer_from_table_to_predictions(finetune, predict, tiny_model, tmp_path, monkeypatch, capsys):
    output, table = tmp_path / "inner", tmp_path / "data.csv"
    pd.read_csv(DATA / "bbbp_300.csv", nrows=120).to_csv(table, index=False)
    done = finetune(table, "--target", "p_np", "--layer", 1, "-o", output)
    assert done.status == 0, done.err
    task, facts, splits = (load(output / name) for name in ("task.json", "run.json", "splits.json"))
    assert task["layer"] == task["features"][0]["settings"]["layer"] == facts["options"]["layer"] == 1
    assert "; its vectors are of layer 1 |" in (output / "README.md").read_text("utf-8")
    shown = run_here(monkeypatch, capsys, "models", "show", output)
    assert "mean over the tokens, of layer 1\n" in shown.out

    smiles = pd.read_csv(table)["smiles"][splits["train"][:10]].tolist()
    options = ("--columns", "+neighbours", "--explain", tmp_path / "pictures")
    done = predict(*smiles, "-m", output, "-o", tmp_path / "predicted.csv", *options)
    assert done.status == 0, done.err
    predicted = pd.read_csv(tmp_path / "predicted.csv")
    predictor, encoder = Predictor.from_pretrained(output, "cpu"), ExLM.from_pretrained(tiny_model, "cpu")
    expected, last = (predictor.head.predict({"exlm": encoder.embed(smiles, layer=layer)})[:, 0] for layer in (1, -1))
    np.testing.assert_allclose(predicted["p_np"], expected, atol=1e-5)
    np.testing.assert_array_equal(predictor.predict(smiles)["p_np"], expected)
    assert np.abs(expected - last).max() > 0.01
    # they were trained on, so that each is its own neighbour by the vectors of the same layer
    assert (predicted["inner_vector_nearest_similarity"] > 0.999).all()
    assert predicted["p_np_explained"].notna().all()

    judged = run_here(monkeypatch, capsys, "evaluate", output, table, "--device", "cpu")
    roc_auc = next(line for line in judged.out.splitlines() if line.startswith("roc_auc")).split()[1]
    assert float(roc_auc) == pytest.approx(task["metrics"]["test"]["roc_auc"], abs=6e-4)
    ranked = run_here(monkeypatch, capsys, "rank", *smiles, "--model", output, "-n", 1, "--maximize", "--device", "cpu")
    assert smiles[expected.argmax()] in ranked.out


@pytest.mark.parametrize("how", [QUICK, ("--method", "full", "--epochs", "1")], ids=["head", "full"])
def test_the_last_layer_by_its_number_is_the_same_predictor(finetune, tmp_path, how):
    pd.read_csv(DATA / "esol_150.csv", nrows=60).to_csv(tmp_path / "data.csv", index=False)
    options = ("--task", "esol", "--split", "random", *how)
    for name, layer in (("plain", []), ("counted", ["--layer", 2]), ("from_the_end", ["--layer", -1])):
        done = finetune(tmp_path / "data.csv", *options, *layer, "-o", tmp_path / name)
        assert done.status == 0, done.err
    for file in ("task.json", "head.safetensors.zst", "training.safetensors.zst", "README.md"):
        plain, *others = ((tmp_path / name / file).read_bytes() for name in ("plain", "counted", "from_the_end"))
        assert others == [plain, plain]
    assert "layer" not in load(tmp_path / "plain" / "task.json")


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--layer", 3], 1, "there is no layer 3: this model has 0 to 2, or from the end -1 to -3"),
        (["--layer", -4], 1, "there is no layer -4: this model has 0 to 2, or from the end -1 to -3"),
        (["--layer", "last"], 2, "--layer"),
        (
            ["--layer", 1, "--method", "full"],
            1,
            "--method full trains a head on the last layer; leave --layer away, or take --method head",
        ),
        (["--layer", -2, "--method", "lora"], 1, "--method lora trains a head on the last layer"),
    ],
)
def test_layers_that_cannot_be_are_refused(finetune, tmp_path, options, status, message):
    done = finetune(DATA / "bbbp_300.csv", "--target", "p_np", *options, "-o", tmp_path / "out")
    assert (done.status, done.out, list(tmp_path.iterdir())) == (status, "", [])
    assert message in " ".join(done.err.split())


def test_splits_of_a_column_and_the_same_result_for_the_same_seed(finetune, tmp_path):
    table = pd.read_csv(DATA / "esol_150.csv", names=["smiles", "y"], header=0)
    table["part"] = ["train"] * 100 + ["test"] * 50
    table.to_csv(tmp_path / "data.csv", index=False)
    for name in ("one", "two"):
        done = finetune(tmp_path / "data.csv", "--target", "y", "--split", "part", "-o", tmp_path / name)
        assert done.status == 0
        assert "valid: no molecules\n" in done.err
    one, two = (tmp_path / name / "head.safetensors.zst" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert load(tmp_path / "one" / "splits.json")["test"] == list(range(100, 150))


FAULTS = [
    ("smiles,y\nC,1\nCC,high\n", ["--target", "y"], 1, "column 'y': 1 of 2 labels is no plain number: 'high'"),
    ("smiles,y\nC,1\nCC,2\n", ["--target", "y"], 1, "with --positive '1' or --positive '2'; if they are measure"),
    ("smiles,y\nC,1\nCC,0\n", ["--task", "bbbp", "--kind", "regression"], 1, "leave --kind regression away"),
    ("smiles,y\nC,1\n", ["--target", "z"], 1, "has no column 'z'; its columns are: 'smiles', 'y'"),
    ("smiles,y\nC,1\n", ["--target", "y", "--split", "scafold"], 1, "--split needs column 'scafold', which"),
    ("smiles,y\nC,1\n", ["--target", "y", "--split", "no.json"], 1, "there is no file no.json"),
    ("smiles,y\nC,1\n", ["--task", "bbbp"], 1, "has no column 'p_np'"),
    ("smiles,y\nC,1\n", ["--task", "esol", "--target", "y"], 2, "give either --task or --target, not both."),
    ("smiles,y\nC,1\n", [], 2, "give either --task or --target"),
    (
        "smiles,y\nC,1\nCC,0\n",
        ["--target", "y"],
        1,
        "of 2 molecules leaves none to learn from: too many share one",
    ),
    (
        "smiles,y\nC,1\nCC,0\n",
        ["--target", "y", "--split", "random", "--method", "full"],
        1,
        "--method full needs validation molecules with labels to know when to stop, and the random",
    ),
    (
        "smiles,y,part,w\nC,1,train,1\nCC,2,train,1\nCCC,3,valid,0\nCCCC,3,test,0\n",
        ["--target", "y", "--split", "part", "--weights", "w", "--method", "full"],
        1,
        "--method full needs validation molecules with labels and weights above 0 to know when to stop, and the column",
    ),
    ("smiles,y\nC,1\nCC,1\n", ["--target", "y", "--split", "random"], 1, "all labels of column 'y' are 1, so nothing"),
    ("smiles,y\nC,1\nCC,0\n", ["--target", "y", "--unknown", "-9"], 1, "no label is '-9', which --unknown names"),
    (
        "smiles,y,p\nC,1,test\nCC,0,valid\n",
        ["--target", "y", "--split", "p"],
        1,
        "the column p split of 2 molecules leaves none to learn from; use --split random",
    ),
]


@pytest.mark.parametrize(("table", "options", "status", "message"), FAULTS, ids=[fault[3][:30] for fault in FAULTS])
def test_faults_leave_nothing_behind(finetune, tmp_path, table, options, status, message):
    (tmp_path / "data.csv").write_text(table, encoding="utf-8")
    done = finetune(tmp_path / "data.csv", *options, "-o", tmp_path / "out")
    assert (done.status, done.out) == (status, "")
    assert message in " ".join(done.err.replace("│", " ").split())
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seed", -1], "--seed must be a whole number of at least 0 and of at most 4294967295, not -1."),
        (["--learning-rate", "nan"], "--learning-rate must be a number larger than 0, not nan."),
        (["--epochs", 0], "--epochs must be a whole number of at least 1 and of at most 1000000, not 0."),
        (["--dropout", 1], "--dropout must be a number of at least 0 and smaller than 1, not 1.0."),
        (["--task", ""], "--task must not be empty."),
        (["--target", " "], "--target must not be empty."),
        (["--split", ""], "--split must not be empty."),
        (["--device", "meta"], "there is no device 'meta'; choose auto, cpu, mps, cuda, or one of several: cuda:1"),
        (["--seed", 2**32 - 1, "--seeds", 2], "--seed 4294967295 leaves no room for --seeds 2; choose a smaller"),
        (["--positive", ""], "--positive must not be empty."),
    ],
)
def test_values_of_options_are_checked_before_anything_is_read(monkeypatch, capsys, tmp_path, options, message):
    target = [] if options[0] in ("--task", "--target") else ["--target", "y"]
    done = run_here(monkeypatch, capsys, "finetune", tmp_path / "none.csv", *target, *options)
    assert (done.status, done.out) == (2, "")
    assert message in " ".join(done.err.split())


def test_nothing_is_written_over(finetune, tmp_path):
    (tmp_path / "precious").touch()
    done = finetune(DATA / "bbbp_300.csv", "--target", "p_np", "-o", tmp_path)
    assert done.err == f"exlm-chem: {tmp_path} exists already; choose another directory with --output\n"
    done = finetune(DATA / "bbbp_300.csv", "--target", "p_np", "-o", tmp_path / "precious" / "out")
    assert done.err == (
        f"exlm-chem: nothing can be written into {tmp_path / 'precious'}; choose another directory with --output\n"
    )


@pytest.mark.parametrize("name", ["none.csv", "folder", "pipe", "-"])
def test_a_table_must_be_a_file(finetune, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    done = finetune(name, "--target", "y")
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert done.err.startswith(("exlm-chem: there is no file", f"exlm-chem: {name} is no ordinary file; save it as"))
    assert not (tmp_path / "runs").exists()


def test_the_output_is_named_after_table_and_task(finetune, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = finetune(DATA / "esol_150.csv", "--target", "measured log solubility in mols per litre")
    name = Path("runs") / "esol_150-measured_log_solubility_in_mols_per_litre"
    assert (done.status, done.out) == (0, f"{name}\n")
    assert Predictor.from_pretrained(name).task.name == name.name
    assert finetune(DATA / "esol_150.csv", "--task", "esol").out == "runs/esol_150-esol\n"


@pytest.mark.parametrize(
    ("name", "target", "options", "told"),
    [
        ("30a_decimal_comma.csv", "logS", [], "'logS': taken as measurements; '1,05' is read as 1.05"),
        ("32a_excel_na.csv", "logS", [], "taken as measurements; not known: '#N/A' (2 cells)"),
        ("34a_active_inactive.csv", "outcome", [], "column 'outcome': 'Active' = 1, 'Inactive' = 0"),
        ("34d_plus_minus.csv", "ames", [], "column 'ames': '+' = 1, '-' = 0"),
        ("35b_minus_one_missing.csv", "label", ["--unknown", "-1"], "not known: '-1' (8 cells)"),
        ("33_blank_in_header.csv", "logs", [], "column 'logs': taken as measurements"),
        ("33b_newline_in_header.csv", "Solubility (log mol/L)", [], "taken as measurements"),
        ("37a_five_rows.csv", "logS", ["--split", "random"], "taken as measurements"),
        ("44b_split_blank.csv", "logS", ["--split", "split"], "line 9: nothing in column 'split', which"),
        ("51_integer_ic50.csv", "IC50_nM", ["--split", "random"], "column 'IC50_nM': taken as measurements"),
        ("52_alkanes.csv", "NHOC", ["--split", "random"], "split: 24 train, 3 valid, 3 test"),
        ("41_single_class_test.csv", "label", ["--split", "part"],
         "test: roc_auc - (none where all 4 known labels of 'label' are 0), 4 molecules"),
    ],
)  # fmt: skip
def test_tables_of_the_field(finetune, tmp_path, name, target, options, told):
    done = finetune(FIELD_CASES / name, "--target", target, *options, "-o", tmp_path / "out")
    assert done.status == 0, done.err
    assert told in done.err
    facts = json.loads((tmp_path / "out/run.json").read_text(), parse_constant=pytest.fail)
    assert facts["data"]["reading"][-1] in done.err
    rows = load(tmp_path / "out/splits.json")
    assert len(rows["train"] + rows["valid"] + rows["test"] + rows["left_out"]) == facts["data"]["molecules"] + len(
        rows["left_out"]
    )
    if name.startswith("41"):
        card = (tmp_path / "out/README.md").read_text()
        assert "No ROC-AUC in test: all 4 known labels of 'label' are 0." in card


@pytest.mark.parametrize(
    ("name", "target", "told"),
    [
        ("35b_minus_one_missing.csv", "label", "'-1' (8 cells) may stand for a label that is not known; if it does"),
        ("37b_ten_rows.csv", "label", "so nothing can be learnt; use --split random or --split stratified"),
        ("43b_huge.csv", "k", "40 of 40 labels are too large or too small"),
        ("52_alkanes.csv", "NHOC", "too many share one scaffold, as all without rings do; use --split random"),
        ("28_preamble.csv", "logS", "give --header-line 3"), ("29_no_header.csv", "logS", "give --header-line 0"),
    ],
)  # fmt: skip
def test_tables_of_the_field_that_are_refused(finetune, tmp_path, name, target, told):
    done = finetune(FIELD_CASES / name, "--target", target, "-o", tmp_path / "out")
    assert (done.status, list(tmp_path.iterdir())) == (1, [])
    assert told in done.err.splitlines()[-1]


def test_names_that_are_not_utf8(tiny_model, tmp_path):
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/g\xfcn")
    table = Path(folder, os.fsdecode(b"t\xe4ble.csv"))
    table.parent.mkdir()
    rows = "".join(f"{'C' * n}O,{n % 3}.5\n" for n in range(1, 25))
    table.write_bytes(b"smiles,l\xf6g\n" + rows.encode())
    command = ["finetune", table, "--target", os.fsdecode(b"l\xf6g"), "--split", "random", *QUICK, "-m", tiny_model]
    refused = run(*command, "-o", Path(folder, "out"))
    assert (refused.status, refused.err.count("\n")) == (1, 1)  # before the table is read, which is told about
    assert "or of a folder above it is no UTF-8; choose another directory with --output" in refused.err
    done = run(*command, "-o", tmp_path / "out")
    assert done.status == 0, done.err
    assert load(tmp_path / "out" / "task.json")["columns"][0]["name"] == "l\udcf6g"
    assert run("predict", "CCO", "-m", tmp_path / "out").status == 0


@pytest.mark.parametrize("head", ["linear", "boosting", "network", "average"])
def test_every_head_from_table_to_predictions(finetune, monkeypatch, capsys, tmp_path, head):
    output, options = tmp_path / "mine", ("--features", "exlm,ecfp", "--head", head, "--split", "random")
    table = pd.read_csv(DATA / "bbbp_300.csv", nrows=80)
    table.to_csv(tmp_path / "data.csv", index=False)
    for module, name, few in ((boosting, "FEWEST_TREES", 8), (boosting, "MOST_TREES", 12), (network, "EPOCHS", 5)):
        monkeypatch.setattr(module, name, few)
    done = finetune(tmp_path / "data.csv", "--target", "p_np", *options, "-o", output)
    assert done.status == 0, done.err
    task = load(output / "task.json")
    assert [spec["name"] for spec in task["features"]] == list(task["head"]["blocks"]) == ["exlm", "ecfp"]
    (inside,) = task["head"]["members"]  # probabilities are calibrated
    assert inside["name"] == head
    card = (output / "README.md").read_text("utf-8")
    assert f"head {head} on exlm, ecfp" in card
    judged = task["metrics"]["out_of_fold"]["p_np"]
    assert 0 <= judged["precision"] <= 1
    assert f"| p_np | 0.500 | {judged['precision']:.3f}" in card
    done = run_here(monkeypatch, capsys, "predict", "CCO", "c1ccccc1", "-m", output, "--columns", "+spread", "--json")
    first, second = map(json.loads, done.out.splitlines())
    assert 0 < first["p_np"] < 1
    assert first["p_np_class"] == int(first["p_np"] >= 0.5)
    assert (second.get("p_np_spread") is not None) == (head == "average")
    assert Predictor.from_pretrained(output, "cpu").training is not None


def test_a_head_is_chosen_of_several_and_that_is_said(finetune, tmp_path):
    target, output = "measured log solubility in mols per litre", tmp_path / "mine"
    options = ("--features", "descriptors", "--head", "linear,kernel", "--task", "esol")
    done = finetune(DATA / "esol_150.csv", *options, "-o", output)
    assert done.status == 0, done.err
    task = load(output / "task.json")
    scores = task["head"]["choices"]["scores of the heads, cross-validated"]
    assert task["head"]["name"] == min(scores, key=scores.get)
    assert f"head {task['head']['name']} is chosen of linear, kernel" in done.err
    assert "scores of the heads, cross-validated: linear" in (output / "README.md").read_text("utf-8")
    assert target == task["columns"][0]["target"]


def test_a_head_of_ones_own_is_used_where_the_user_names_it(finetune, predict, tmp_path, monkeypatch):
    (tmp_path / "my_own_heads.py").write_text(
        "from exlm_chem.heads.linear import LinearHead\nclass Mine(LinearHead): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    options = ("--task", "esol", "--features", "ecfp", "--head", "my_own_heads:Mine")
    done = finetune(DATA / "esol_150.csv", *options, "-o", tmp_path / "own")
    assert done.status == 0, done.err
    monkeypatch.setattr(registry, "_own", {})  # as in a new process
    monkeypatch.delitem(sys.modules, "my_own_heads")
    refused = predict("CCO", "-m", tmp_path / "own")
    assert refused.status == 1
    assert "name it in the environment variable EXLM_CHEM_HEADS" in refused.err
    assert "my_own_heads" not in sys.modules
    monkeypatch.setenv("EXLM_CHEM_HEADS", "my_own_heads:Mine")
    done = predict("CCO", "-m", tmp_path / "own")
    assert done.status == 0, done.err


def test_heads_that_do_not_exist_and_methods_that_choose_none(finetune, tmp_path):
    (tmp_path / "data.csv").write_text("smiles,y\nC,1.5\nCC,2.5\n")
    for options, message in (
        (["--head", "oracle"], "there is no head 'oracle'"),
        (["--features", "exlm,ecfp", "--method", "full"], "leave --features and --head and --extra-columns away"),
        (["--features", "none"], "--features must be one or more blocks"),
        (["--method", "full", "--head", "linear"], "leave --features and --head and --extra-columns away"),
    ):
        done = finetune(tmp_path / "data.csv", "--target", "y", *options, "-o", tmp_path / "out")
        assert done.status != 0
        assert message in " ".join(done.err.split())
