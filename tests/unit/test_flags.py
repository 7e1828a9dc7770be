"""Every flag that a message or a page names is a flag of a command."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from exlm_chem.cli.main import all_commands, load_command

ROOT = Path(__file__).parents[2]
COMMANDS = all_commands()
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?![\w-])")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Whose messages can only come from one command.
ROOMS = {"pretraining": "pretrain", "pretrain.py": "pretrain", "finetuning": "finetune", "finetune.py": "finetune"}
# Of other programs: torchrun, pip, git, pytest, our scripts.
FOREIGN = {"--nproc-per-node", "--nnodes", "--node-rank", "--upgrade", "--help", "--debug", "--version"}
SOURCES = sorted([*(ROOT / "exlm_chem").rglob("*.py"), *(ROOT / "cli").glob("*.py")])


@cache
def flags(command: str) -> frozenset[str]:
    """The long options of a command."""
    options = (
        flag for parameter in load_command(command).params for flag in (*parameter.opts, *parameter.secondary_opts)
    )
    return frozenset(FOREIGN.union(options))


def messages(file: Path) -> Iterator[tuple[int, str]]:
    """The texts of a file that are no documentation, with their lines."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_flags_in_messages(file: Path) -> None:
    command = next((ROOMS[part] for part in file.relative_to(ROOT).parts if part in ROOMS), None)
    known = flags(command) if command else frozenset[str]().union(*map(flags, COMMANDS))
    named = {(line, flag) for line, text in messages(file) for flag in FLAG.findall(text)}
    assert {(line, flag) for line, flag in named if flag not in known} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_flags_in_commands_of_pages(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"exlm-chem ([a-z][^\n`#]*)", text)
    commands = ((command, line) for line in lines for command in COMMANDS if f"{line} ".startswith(f"{command} "))
    named = {(command, flag) for command, line in commands for flag in FLAG.findall(line)}
    assert {(command, flag) for command, flag in named if flag not in flags(command)} == set()
