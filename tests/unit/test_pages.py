"""The pages of the repository: what they name exists, and what they promise agrees with what is built."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import exlm_chem

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / ".github/pull_request_template.md"])
WORKFLOWS = sorted(ROOT.glob(".github/**/*.yml"))
# Folders whose files a page may name; a name with N stands for several.
NAMED = re.compile(r"`((?:exlm_chem|cli|data|benchmarks|tests|docs)/[\w./-]*\w)`")
CODE = re.compile(r"```.*?```|`[^`\n]*`", flags=re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {name.replace("/N", "/1") for name in NAMED.findall(text)} if page.name != "CHANGELOG.md" else set()
    missing = {name for name in named if not (ROOT / name).exists()}
    missing |= {link for link in LINK.findall(CODE.sub("", text)) if not (page.parent / link).exists()}
    assert missing == set()


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_forms_and_workflows(file: Path) -> None:
    assert isinstance(yaml.safe_load(file.read_text(encoding="utf-8")), dict)


def test_version_and_date_stand_in_every_place() -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", CHANGELOG, flags=re.MULTILINE)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert released[0] == (exlm_chem.__version__, str(citation["date-released"]))
    assert citation["version"] == exlm_chem.__version__
    assert [date for _, date in released] == sorted((date for _, date in released), reverse=True)


def test_public_ci_runs_what_the_package_promises() -> None:
    content = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    matrix = content["jobs"]["tests"]["strategy"]["matrix"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f">={matrix['python'][0]}" == project["requires-python"]
    assert len(matrix["system"]) == 3
    assert any(step.get("run") == "make test" for step in content["jobs"]["make"]["steps"])
