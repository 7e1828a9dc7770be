"""Damaged model and predictor directories: the same numbers, or one sentence that names the file and what to do.

Values of every JSON file are replaced by what they must not be, every file is cut off, changed in single bytes, emptied
and taken away. What is computed then (vectors and predictions) is compared with what was.
"""

import json
import shutil
from pathlib import Path
from random import Random

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from exlm_chem import model_directory
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.predictors import directory as predictors
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.storage.packed import unpacked, write_packed

FORMATS = Path(__file__).parents[1] / "data" / "formats"
SMILES = ["CC(=O)[O-].[Na+]", "C[C@@H](Cl)[13CH3]"]
REMEDIES = ("copy", "train", "update", "restore", "finetune", "permissions")
DEEP = "[" * 3000 + "]" * 3000
RATHER_DEEP = "[" * 400 + "]" * 400
WRONG = [
    *("null", '"text"', '""', "[]", "{}", "true", "0", "-1", "1.5", "1e400", "NaN", "-Infinity", "9" * 5000, "9" * 400),
    *("1000000000000", "8", "[[1]]", '{"a": null}', '"\\ud800"', '"a\\u0000\\n\\u001b[31m"', DEEP, RATHER_DEEP),
]


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(FORMATS / "3", tmp_path / "three")
    return tmp_path / "three"


def doors(folder, part="model"):
    """What a directory gives, one door after the other; those that read a part of it."""
    if part == "model":
        yield "embed", lambda: ExLM.from_pretrained(folder / "model", "cpu").embed(SMILES)
    yield "predict", lambda: Predictor.from_pretrained(folder / "predictor", "cpu").predict(SMILES).iloc[:, :2]


def try_doors(folder, path, expected=None):
    """Give an account of every door to a damaged file that does not keep the promise."""
    faults = []
    for door, call in doors(folder, path.relative_to(folder).parts[0]):
        try:
            numbers = np.asarray(call(), dtype=float)
            if expected is not None and not np.array_equal(numbers, expected[door]):
                faults.append(f"{door}: other numbers")
        except ExLMError as error:
            text = str(error)
            if "\n" in text or not text.isprintable() or len(text) > 600:
                faults.append(f"{door}: not one line: {text!r}")
            if path.name not in text or not any(word in text for word in REMEDIES):
                faults.append(f"{door}: file or remedy is not named: {text}")
        except Exception as error:  # noqa: BLE001
            faults.append(f"{door}: unexpected {error!r}"[:300])
    return faults


def places(content, path=()):
    """Give the paths to all values of a JSON file, of long lists and tables the first few."""
    yield path
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in list(items)[:40]:
        yield from places(value, (*path, key))


def replaced(content, path, text):
    """Write a JSON file with one value replaced by a text, which need not be JSON that Python can write."""
    copy = json.loads(json.dumps(content))
    if not path:
        return text
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "@@here@@"
    return json.dumps(copy).replace('"@@here@@"', text)


def numbers_of(folder):
    return {door: np.asarray(call(), dtype=float) for door, call in doors(folder)}


@pytest.mark.parametrize(
    ("version", "name"),
    [
        (version, name)
        for version in ("1", "2")
        for name in ("model/config.json", "predictor/task.json", "model/tokenizer_config.json")
    ],
)
def test_every_value_of_every_json_file(folder, version, name):
    if version == "1":
        shutil.rmtree(folder)
        shutil.copytree(FORMATS / "1", folder)
    expected = numbers_of(folder)
    path = folder / name
    good = path.read_bytes()
    content = json.loads(good)
    faults = []
    random = Random(name)
    for place in places(content):
        for text in random.sample(WRONG, 3 if version == "2" else 1) if place else WRONG:
            path.write_text(replaced(content, place, text), encoding="utf-8")
            # format 1 has no hash by which a value that can be would be known from one that was
            found = try_doors(folder, path, expected if version == "2" else None)
            faults += [f"{place} = {text[:30]}: {fault}" for fault in found]
        if place and isinstance(place[-1], str):
            copy = json.loads(good)
            inner = copy
            for key in place[:-1]:
                inner = inner[key]
            del inner[place[-1]]
            path.write_text(json.dumps(copy), encoding="utf-8")
            faults += [
                f"without {place}: {fault}" for fault in try_doors(folder, path, expected if version == "2" else None)
            ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", ["model/training.json", "model/tokenizer.json"])
def test_files_that_nothing_is_computed_from(folder, name):
    expected = numbers_of(folder)
    path = folder / name
    content = json.loads(path.read_bytes()) or {"steps": 1}
    random = Random(name)
    for place in list(places(content))[:12]:
        for text in random.sample(WRONG, 4):
            path.write_text(replaced(content, place, text), encoding="utf-8")
            for door, numbers in numbers_of(folder).items():
                assert np.array_equal(numbers, expected[door])


def test_bytes_of_every_file(folder):
    expected = numbers_of(folder)
    random = Random(0)
    faults = []
    for path in sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "expected.json"):
        good = path.read_bytes()
        size = len(good)
        damages = {"empty": b"", "zeros": bytes(size), "text": b"<html>Not found</html>", "twice": good + good}
        damages |= {f"first {part}": good[:part] for part in (1, 8, size // 2, size - 1)}
        for index in sorted({0, 8, 9, size - 1, *(random.randrange(size) for _ in range(10))}):
            damages[f"byte {index}"] = (
                good[:index] + bytes([good[index] ^ (1 << random.randrange(8))]) + good[index + 1 :]
            )
        for what, damage in damages.items():
            path.write_bytes(damage)
            faults += [f"{path.name} {what}: {fault}" for fault in try_doors(folder, path, expected)]
        path.unlink()
        faults += [f"{path.name} missing: {fault}" for fault in try_doors(folder, path, expected)]
        path.mkdir()
        faults += [f"{path.name} a folder: {fault}" for fault in try_doors(folder, path, expected)]
        path.rmdir()
        path.symlink_to(path)
        faults += [f"{path.name} a circle: {fault}" for fault in try_doors(folder, path, expected)]
        path.unlink()
        path.write_bytes(good)
    assert not faults, "\n".join(faults)


def tensors_of(path):
    return unpacked(path.read_bytes()) if path.suffix == ".zst" else load_file(path)


def write_plain(path, tensors):
    save_file(tensors, path)


@pytest.mark.parametrize("version", ["1", "2", "3"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_weights_that_are_no_numbers(folder, version, value):
    shutil.rmtree(folder)
    shutil.copytree(FORMATS / version, folder)
    (folder / "model" / "training.json").unlink(missing_ok=True)  # which has the hash in format 1
    for name in ("model/model.safetensors", f"predictor/head.safetensors{'.zst' if version == '3' else ''}"):
        path = folder / name
        good = path.read_bytes()
        for tensor in list(tensors_of(path))[::5]:
            weights = tensors_of(path)
            weights[tensor].flat[-1] = value
            (write_packed if path.suffix == ".zst" else write_plain)(path, weights)
            if np.isfinite(value) and version == "1" and name.startswith("model"):
                path.write_bytes(good)
                continue  # a large number is a number
            faults = try_doors(folder, path, {"embed": np.zeros((2, 16)), "predict": np.zeros((2, 2))})
            assert not [fault for fault in faults if name.startswith("model") or fault.startswith("predict")]
            path.write_bytes(good)


def test_the_check_finds_every_damage(folder):
    assert model_directory.check(folder / "model")
    assert predictors.check(folder / "predictor")
    for path in sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "expected.json"):
        good = path.read_bytes()
        for damage in (b"", good[: len(good) // 2], good.replace(b"1", b"2", 1) if path.suffix != ".json" else b"[]"):
            path.write_bytes(damage)
            with pytest.raises(ExLMError, match=path.name):
                predictors.check(folder / "predictor")
        path.write_bytes(good)
