"""A result that goes on where an ended run stopped, and is the same as one that was never ended."""

import signal
import subprocess
import sys

import pytest

from exlm_chem.embedding.options import EmbeddingOptions
from exlm_chem.embedding.table import embed_file
from exlm_chem.errors import ExLMError
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.prediction.table import predict_file
from exlm_chem.predictors import predictor as predicting

OPTIONS = {"device": "cpu", "chunk_size": 3}
KILLED = """
import os, sys
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.prediction.table import predict_file
options = PredictionOptions(device="cpu", chunk_size=3, resume=True)
end = lambda rows: rows == 6 and os.kill(os.getpid(), 9)
predict_file([sys.argv[1]], [sys.argv[2]], sys.argv[3], options, progress=end)
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("id,smiles\n" + "".join(f"{index},{'C' * index + '(' * (index == 5)}O\n" for index in range(11)))
    return path


def test_after_sigkill_nothing_is_computed_twice_and_the_file_is_the_same(
    source, tiny_predictors, tmp_path, monkeypatch
):
    model, out = tiny_predictors / "pass", tmp_path / "out.csv"
    done = subprocess.run([sys.executable, "-c", KILLED, source, model, out], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    chunks, original = [], predicting.Predictor.from_pretrained(model, "cpu").encoder.read_all.__func__
    monkeypatch.setattr(
        predicting.ExLM, "read_all", lambda self, *args: chunks.append(len(args[0])) or original(self, *args)
    )
    summary = predict_file(source, [model], out, PredictionOptions(**OPTIONS, resume=True))
    assert chunks == [3, 2]
    assert not (tmp_path / "out.csv.part").exists()
    whole = predict_file(source, [model], tmp_path / "whole.csv", PredictionOptions(**OPTIONS))
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert str(summary) == str(whole)


@pytest.mark.parametrize("name", ["out.tsv.gz", "out.jsonl", "out.parquet", "out.npz"])
def test_every_format_is_the_same(source, tiny_predictors, tmp_path, name):
    def make(folder, resume=False, progress=lambda _: None):
        folder.mkdir(exist_ok=True)
        if name.endswith("npz"):
            options = EmbeddingOptions(**OPTIONS, resume=resume)
            embed_file(source, tiny_predictors / "tiny", folder / name, options, progress=progress)
        else:
            options = PredictionOptions(**OPTIONS, columns=("alerts", "descriptors"), resume=resume)
            models = [tiny_predictors / "salt", tiny_predictors / "sol"]
            predict_file(source, models, folder / name, options, progress=progress)
        return (folder / name).read_bytes()

    def interrupt(rows):
        if rows == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "ended", resume=True, progress=interrupt)
    assert make(tmp_path / "ended", resume=True) == make(tmp_path / "whole")


def test_another_input_model_or_option_is_refused(source, tiny_predictors, tmp_path):
    def begin(path=source, model="pass", out=tmp_path / "out.csv", **options):
        def stop(_):
            raise KeyboardInterrupt

        predict_file(
            path, [tiny_predictors / model], out, PredictionOptions(**OPTIONS | options, resume=True), progress=stop
        )

    with pytest.raises(KeyboardInterrupt):
        begin()
    with pytest.raises(ExLMError, match=r"out\.csv\.part was begun with other model or predictors; go on with"):
        begin(model="sol")
    with pytest.raises(ExLMError, match="begun with other options;"):
        begin(chunk_size=4)
    other = tmp_path / "other.csv"
    other.write_text("id,smiles\n1,C\n")
    with pytest.raises(ExLMError, match="begun with other input;"):
        begin(path=other)
    chunk = next((tmp_path / "out.csv.part").glob("*.zst"))
    chunk.write_bytes(chunk.read_bytes()[:-3])
    with pytest.raises(ExLMError, match=r"00000000\.json\.zst is broken; remove"):
        begin()
    with pytest.raises(ExLMError, match="--resume needs a file to read and a file to write"):
        begin(out=None)
