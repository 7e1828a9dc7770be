"""JSON that every program can read, and JSON that somebody damaged."""

import json
import os

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.storage import json_text, read_json, write_json


def strict(text):
    return json.loads(text, parse_constant=pytest.fail)


def test_never_nan_and_never_minus_zero():
    content = {"a": [float("nan"), float("inf"), -0.0, {"b": (-float("inf"), 1.5)}], 1: np.float32("nan"), None: {3}}
    assert strict(json_text(content)) == {"a": [None, None, 0.0, {"b": [None, 1.5]}], "1": None, "null": [3]}
    assert "-" not in json_text(content)
    assert strict(json_text({"array": np.array([1.0, np.nan]), "whole": np.int64(3), "yes": np.bool_(True)})) == {
        "array": [1.0, None],
        "whole": 3,
        "yes": True,
    }


def test_bytes_that_are_no_utf8_survive(tmp_path):
    name = os.fsdecode(b"caf\xe9 \xff.csv")
    write_json(tmp_path / "run.json", {name: name, "caf\u00e9": "\u00e9"})
    assert "é" in (tmp_path / "run.json").read_text(encoding="utf-8")
    assert read_json(tmp_path / "run.json") == {name: name, "café": "é"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", r"is broken: it is no valid JSON \(.*: line 1, column 2\); copy it again$"),
        (b"", "line 1, column 1"),
        (b"[1]", "it holds no JSON object; copy it again"),
        (b"null", "it holds no JSON object"),
        (b'"a"', "it holds no JSON object"),
        (b"\xff\xfe", "it is no valid JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "it is nested too deeply; copy it again"),
        (b'{"a": ' * 100_000, "it is nested too deeply"),
        (b'{"a": ' + b"1" * 10_000 + b"}", "it is no valid JSON"),
    ],
)
def test_damage_is_told_in_one_sentence(content, message, tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(ExLMError, match=message) as info:
        read_json(path, "copy it again")
    assert str(path) in str(info.value)
    assert "\n" not in str(info.value)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    for name in ("absent.json", "pipe.json", "."):
        with pytest.raises(ExLMError, match=r"there is no file .*; restore it from a copy"):
            read_json(tmp_path / name)


def test_numbers_that_are_none_are_null(tmp_path):
    path = tmp_path / "old.json"
    path.write_text('\ufeff{"a": NaN, "b": [-Infinity, 1e999, 1.5]}', encoding="utf-8")
    assert read_json(path) == {"a": None, "b": [None, None, 1.5]}
