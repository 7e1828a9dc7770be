"""Values of options that cannot be: one sentence, exit status 2, and nothing is read or written before."""

import shlex

import pytest

from tests.cli.runner import run_here

HOSTILE = [
    *("--chunk-size 0", "--chunk-size -3", "--chunk-size nan", "--chunk-size " + "9" * 31, "--chunk-size ''"),
    *("--device meta", "--device hpu", "--device ''", "--device cpu:x", "--device cuda:9999"),
    *("--on-invalid drop", "--on-invalid ''"),
]
OF_PREDICT = ["--task ''", "--task ,", "--task bbbp,,esol", "--model ''"]
OF_EMBED = [
    *("--batch-tokens 0", "--batch-tokens nan", "--batch-tokens -1", "--batch-tokens " + "9" * 31),
    *("--batch-size 0", "--batch-size 1.5", "--pooling max", "--pooling ''", "--standardise salt"),
]


@pytest.mark.parametrize(
    "line", [*(f"predict {one}" for one in HOSTILE + OF_PREDICT), *(f"embed {one}" for one in HOSTILE + OF_EMBED)]
)
def test_a_value_that_cannot_be_is_wrong_usage(line, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    for module in ("exlm_chem.prediction.table.predict_file", "exlm_chem.embedding.table.embed_file"):
        monkeypatch.setattr(module, lambda *_, **__: pytest.fail("work began"))
    command, *rest = shlex.split(line)
    done = run_here(monkeypatch, capsys, command, "CCO", "-o", "out.csv", *rest)
    assert (done.status, done.out) == (2, "")
    *usage, sentence = done.err.splitlines()
    assert len(usage) == 3  # how the command is used, where help is, an empty line
    assert sentence.startswith("Error: ")
    assert line.split()[1].partition("=")[0] in sentence or "there is no device" in sentence
    assert len(sentence) < 300
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_not_there_is_a_sentence(monkeypatch, capsys, tmp_path, tiny_predictors):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is one")
    out = tmp_path / "out.csv"
    model = tiny_predictors / "pass"
    done = run_here(monkeypatch, capsys, "predict", "CCO", "--model", model, "--device", "cuda", "-o", out)
    assert done.status == 1
    assert done.err.startswith("exlm-chem: there is no device 'cuda' here: ")
    assert done.err.count("\n") == 1
    assert not out.exists()
