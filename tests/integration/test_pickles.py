"""Nothing in a model or predictor directory is ever unpickled, whatever it is called."""

import io
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from exlm_chem import model_directory
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.predictors import directory as predictors
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.pretraining.initial_model import initial_model, make_config
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.tokenizer import ExLMTokenizer

FORMATS = Path(__file__).parents[1] / "data" / "formats"
# What other libraries put into such a directory, or look for there.
FOREIGN = [
    *("pytorch_model.bin", "model.bin", "model.pt", "model.pth", "model.ckpt", "model.pkl", "model.pickle"),
    *("head.pkl", "head.pt", "head.bin", "head.joblib", "head.npy", "head.npz", "classifier.pkl", "scaler.joblib"),
    *("pytorch_model.bin.index.json", "model.safetensors.index.json", "adapter_model.bin", "training_args.bin"),
    *("optimizer.pt", "scheduler.pt", "rng_state.pth", "custom_checkpoint_0.pkl", "data.pkl", "calibration.pkl"),
    *("tokenizer.pkl", "tokenizer.model", "vocab.txt", "merges.txt", "special_tokens_map.json", "added_tokens.json"),
    *("vectors.npy", "vectors.npz", "features.npz", "config.pkl", "task.pkl", "labels.npy", "preprocessor_config.json"),
    *("modeling_exlm.py", "configuration_exlm.py", "tokenization_exlm.py", "__init__.py", "sitecustomize.py"),
]
# Ours that nothing reads, and ours that may be read.
BESIDE = ["README.md", "metrics.csv", "curves.png", "molecule_targets.json"]
READ = sorted({"run.json", "splits.json"} | {path.name for path in FORMATS.glob("2/*/*")})


class Bomb:
    """Makes a file where it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def as_npy(bomb):
    file = io.BytesIO()
    np.save(file, np.array([bomb], dtype=object), allow_pickle=True)
    return file.getvalue()


def as_npz(bomb):
    file = io.BytesIO()
    np.savez(file, weight=np.array([bomb], dtype=object))
    return file.getvalue()


def as_torch(bomb):
    file = io.BytesIO()
    torch.save({"weight": bomb}, file)
    return file.getvalue()


def as_zip(bomb):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(bomb))
    return file.getvalue()


def as_code(bomb):
    return f"import os; os.mkdir({str(bomb.marker)!r})".encode()


WRITERS = (pickle.dumps, as_npy, as_npz, as_torch, as_zip, as_code)


def use(folder, part="model"):
    """Open the directories by every door that reads a part; give what failed."""
    options = PretrainingOptions(init_from=str(folder / "model"))
    of_predictors = (
        lambda: Predictor.from_pretrained(folder / "predictor", "cpu").predict("CCO"),
        lambda: predictors.check(folder / "predictor"),
        lambda: predictors.describe(folder / "predictor"),
    )
    of_models = (  # predictors have them inside
        lambda: ExLM.from_pretrained(folder / "model", "cpu").embed("CCO"),
        lambda: ExLMForMaskedLM.from_pretrained(folder / "model"),
        lambda: ExLMTokenizer.from_pretrained(folder / "model"),
        lambda: initial_model(options, make_config(options, ExLMTokenizer())),
        lambda: model_directory.check(folder / "model"),
    )
    errors = []
    for door in (*of_predictors, *(of_models if part == "model" else ())):
        try:
            door()
        except ExLMError as error:
            errors.append(str(error))
    return errors


@pytest.mark.parametrize("writer", WRITERS)
def test_a_pickle_of_any_name_is_never_read(writer, tmp_path):
    marker = tmp_path / "it ran"
    content = writer(Bomb(marker))
    folder = tmp_path / "formats"
    shutil.copytree(FORMATS / "2", folder)
    for part in ("model", "predictor"):
        for name in FOREIGN + BESIDE:
            (folder / part / name).write_bytes(content)
    assert use(folder) == []  # they are left alone
    for part in ("model", "predictor"):
        for name in READ:
            path = folder / part / name
            good = path.read_bytes() if path.exists() else None
            path.write_bytes(content)
            errors = use(folder, part)
            assert all("\n" not in error for error in errors)
            assert good is None or errors
            path.unlink()
            if good is not None:
                path.write_bytes(good)
    assert not marker.exists()


def test_the_pickles_of_this_test_would_work(tmp_path):
    marker = tmp_path / "it ran"
    pickle.loads(pickle.dumps(Bomb(marker)))  # noqa: S301
    assert marker.exists()
