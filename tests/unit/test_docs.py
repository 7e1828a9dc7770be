"""The site: which pages it is made of, and that its check finds what is wrong."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

import exlm_chem

ROOT = Path(__file__).parents[2]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


HOOKS, CHECK = script("hooks"), script("check_site")


def test_every_public_class_has_its_page() -> None:
    modules = HOOKS.modules()
    assert set(exlm_chem._MODULE_OF.values()) <= set(modules)
    assert all((ROOT / f"{module.replace('.', '/')}.py").exists() for module in modules)
    pages = [HOOKS.reference_page(module) for module in modules]
    assert len(set(pages)) == len(modules) > 60
    assert HOOKS.reference_page("exlm_chem.embedding.embedder") == "reference/embedding/embedder.md"


def test_links_between_files_of_the_root_become_links_between_pages() -> None:
    text = "[a](docs/pretraining.md) [b](SECURITY.md#how) [c](https://example.org/x.md) [d](README.md)"
    assert HOOKS.from_root(text) == (
        "[a](pretraining.md) [b](security.md#how) [c](https://example.org/x.md) [d](index.md)"
    )


def test_commands_are_shown_with_their_help() -> None:
    text = HOOKS.commands()
    for command in ("pretrain", "finetune", "predict", "embed", "tokenize", "data", "models", "info"):
        assert f"## `exlm-chem {command}`" in text
    assert "--smiles-column" in text


def test_public_names_are_listed_with_their_pages() -> None:
    assert "* [`ExLM`][exlm_chem.embedding.embedder.ExLM]" in HOOKS.public_names()


GOOD = (
    '<html><head><link rel="stylesheet" href="a.css"></head><body id="top"><a href="b/c.html#here">c</a></body></html>'
)


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (GOOD, None),
        ('<a href="https://example.org">elsewhere</a>', None),
        ('<a href="nowhere.html">x</a>', "index.html points at nowhere.html, which is not there"),
        ('<a href="b/c.html#there">x</a>', "index.html points at b/c.html#there, and there is no such place"),
        ('<a href="#there">x</a>', "index.html points at #there, and there is no such place"),
        ('<script src="https://example.org/a.js">', "index.html loads https://example.org/a.js from elsewhere"),
        ('<img src="//example.org/a.png">', "index.html loads //example.org/a.png from elsewhere"),
    ],
)
def test_the_check_finds_what_is_wrong(page: str, fault: str | None, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/c.html").write_text('<p id="here">', encoding="utf-8")
    (tmp_path / "a.css").write_text("p { background: url(data:image/png;base64,) }", encoding="utf-8")
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    CHECK.read.cache_clear()
    assert CHECK.faults(tmp_path) == ([] if fault is None else [fault])


@pytest.mark.parametrize("style", ["@import 'https://example.org/a.css';", "p { background: url(//example.org/a) }"])
def test_a_style_sheet_loads_nothing_from_elsewhere(style: str, tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text(style, encoding="utf-8")
    assert CHECK.faults(tmp_path) == ["a.css loads something from elsewhere"]
