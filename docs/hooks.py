"""Pages of the site that are made from something else: the README and its neighbours, the commands, the docstrings.

MkDocs calls ``on_config`` and ``on_files``; see https://www.mkdocs.org/dev-guide/plugins/#events.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
# Files of the repository's root, and the pages that they become.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
TITLES = {"contributing.md": "Contributing", "security.md": "Security", "changelog.md": "Changes"}
LEFT_OUT = {"exlm_chem.zoo"}  # weights, no code
LINK = re.compile(r"\]\(([\w./-]+\.md)(#[\w-]+)?\)")


def on_config(config: Any) -> Any:
    """Set the navigation: pages that are written, commands, then one page for each room of the package."""
    written = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
    rooms: dict[str, list[Any]] = {}
    for module in modules():
        rooms.setdefault(module.split(".")[1], []).append({module.rpartition(".")[2]: reference_page(module)})
    reference = [
        {room: pages if len(pages) > 1 else next(iter(pages[0].values()))} for room, pages in sorted(rooms.items())
    ]
    config.nav = [
        {"ExLM-chem": "index.md"},
        *written,
        {"Commands": "commands.md"},
        {"Reference": [{"Public names": "reference/index.md"}, *reference]},
        {"About": [{title: page} for page, title in TITLES.items()]},
    ]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made."""
    from mkdocs.structure.files import File

    made = {page: from_root((ROOT / name).read_text(encoding="utf-8")) for name, page in PAGES.items()}
    made["commands.md"] = commands()
    made["reference/index.md"] = public_names()
    made |= {reference_page(module): f"# `{module}`\n\n::: {module}\n" for module in modules()}
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def modules() -> list[str]:
    """Name all public modules of the package that define something."""
    found = []
    for path in sorted((ROOT / "exlm_chem").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        defines = re.search(
            r"^(?:def|class|[A-Z]\w*\b.* =|[A-Z]\w* =) ?", path.read_text(encoding="utf-8"), re.MULTILINE
        )
        if (
            defines
            and parts[-1] != "__init__"
            and not any(part.startswith("_") for part in parts)
            and name not in LEFT_OUT
        ):
            found.append(name)
    return found


def reference_page(module: str) -> str:
    """Name the page of a module."""
    return f"reference/{module.partition('.')[2].replace('.', '/')}.md"


def from_root(text: str) -> str:
    """Turn links between files of the repository's root into links between pages of the site."""

    def page(link: re.Match[str]) -> str:
        target = PAGES.get(link[1], link[1].removeprefix("docs/"))
        return f"]({target}{link[2] or ''})"

    return LINK.sub(page, text)


def public_names() -> str:
    """List what ``from exlm_chem import ...`` gives, each with its page."""
    sys.path.insert(0, str(ROOT))
    import exlm_chem

    lines = ["# Public names", "", "`from exlm_chem import ...`; they are loaded when they are first used.", ""]
    for name, module in sorted(exlm_chem._MODULE_OF.items()):  # noqa: SLF001
        lines.append(f"* [`{name}`][{module}.{name}]")
    lines += ["", "Everything else that has no underscore in front can be used too, and may change between versions."]
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Show the help of every command, as it is printed."""
    from typer.testing import CliRunner

    main = import_module("exlm_chem.cli.main")
    parts = ["# Commands\n"]
    for words in ([], *(name.split() for name in main.all_commands())):
        shown = CliRunner().invoke(main.app, [*words, "--help"], terminal_width=100, env={"COLUMNS": "100"}).output
        parts.append(f"## `{' '.join(['exlm-chem', *words])}`\n\n```text\n{shown.strip()}\n```\n")
    return "\n".join(parts)
