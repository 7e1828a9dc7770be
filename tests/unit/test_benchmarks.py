"""Results of benchmarks say where they come from; their scripts have one writer."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = sorted(ROOT.glob("benchmarks/results/*.json"))
SCRIPTS = sorted(ROOT.glob("benchmarks/*.py"))
ORIGIN = {"machine", "versions", "commit", "date", "command"}


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_a_result_names_machine_versions_commit_date_and_command(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content.keys() >= ORIGIN
    assert {"platform", "processor", "cpus", "threads"} <= content["machine"].keys()
    assert content["commit"]
    assert content["date"].startswith("20")
    assert (ROOT / f"benchmarks/{path.stem}.py").exists()
    assert str(ROOT) not in path.read_text(encoding="utf-8")
    if "added_later" not in content:
        assert all(content[key] for key in ORIGIN)
        assert all(content["machine"][key] for key in ("platform", "processor", "cpus", "threads"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_only_the_writer_writes_results(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    writes = {ast.unparse(node.func).rpartition(".")[2] for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert path.stem in ("writer", "table") or not writes & {"write_json", "dump"}
    if "__main__" in path.read_text(encoding="utf-8") and path.stem != "table":
        assert writes & {"write_result", "measure_corpus"}, path.name
        assert (ast.get_docstring(tree) or "").startswith("Claim: ")
        assert f"python -m benchmarks.{path.stem}" in (ast.get_docstring(tree) or "")


@pytest.mark.slow
def test_a_script_writes_numbers_and_origin(tmp_path: Path) -> None:
    output = tmp_path / "example.json"
    command = [sys.executable, "-m", "benchmarks.example", "-o", str(output)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    content = json.loads(output.read_text(encoding="utf-8"))
    assert len(content["rows"]) == 29
    assert content.keys() >= ORIGIN
    assert content["command"] == ["python", "-m", "benchmarks.example", "-o", "example.json"]
    assert content["machine"]["threads"] >= 1
