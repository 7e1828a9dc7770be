"""Flags that are made from a dataclass of options."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
import typer
from typer.testing import CliRunner

from exlm_chem.cli.options import GroupedCommand, takes_options
from exlm_chem.errors import ExLMError
from exlm_chem.options import check_options, option


def pair(text: str) -> float:
    try:
        return float(text) * 2
    except ValueError:
        raise ExLMError(f"{text!r} is no pair") from None


@dataclass(frozen=True, kw_only=True)
class Options:
    output: str = option(..., "Where to.", short="-o")
    number: int = option(4, "A number.", group="How long", least=1)
    until: float | None = option(None, "The end.", group="How long", flag="--to", shown="never", parse=pair)
    shape: Literal["round", "square"] = option("round", "The form.", group="What")
    parts: tuple[Literal["p", "q"], ...] = option(("p",), "Parts.", group="What")
    target: tuple[str, ...] = option((), "Targets.")
    on: bool = option(True, "On.")
    off: bool = option(False, "Off.")
    kind: Literal["a", "b"] | None = option(None, "Kind.")
    hidden: int = 7

    def __post_init__(self) -> None:
        check_options(self)


got = []
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=GroupedCommand)
@takes_options
def go(
    files: Annotated[list[str], typer.Argument(help="Files.")],
    options: Options,
    more: Annotated[bool, typer.Option("--more", help="More.")] = False,
) -> None:
    """Do it."""
    got.append((files, options, more))


def run(*args: str):
    got.clear()
    return CliRunner().invoke(app, args)


def test_nothing_given_is_what_the_class_says() -> None:
    assert run("f", "-o", "x").exit_code == 0
    assert got == [(["f"], Options(output="x"), False)]


def test_everything_given() -> None:
    line = "f g --output x --number 2 --to 3 --shape square --parts q,p --target i --target j,k --no-on --off --kind b"
    assert run(*line.split(), "--more").exit_code == 0
    wanted = Options(
        output="x",
        number=2,
        until=6.0,
        shape="square",
        parts=("q", "p"),
        target=("i", "j,k"),
        on=False,
        off=True,
        kind="b",
    )
    assert got == [(["f", "g"], wanted, True)]


def test_none_of_several() -> None:
    assert run("f", "-o", "x", "--parts", "none").exit_code == 0
    assert got[0][1].parts == ()


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["f"], "Missing option '--output' / '-o'"),
        (["f", "-o", "x", "--to", "u"], "Invalid value for --to: 'u' is no pair"),
        (["f", "-o", "x", "--shape", "flat"], "'flat' is not one of 'round', 'square'"),
        (["f", "-o", "x", "--number", "many"], "Invalid value for '--number'"),
    ],
)
def test_wrong_usage(args: list[str], text: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert text in result.output


@pytest.mark.parametrize("args", [["--number", "0"], ["--parts", "p,r"]])
def test_what_the_class_refuses(args: list[str]) -> None:
    result = run("f", "-o", "x", *args)
    assert result.exit_code == 2
    assert f"{args[0]} must be" in result.output.splitlines()[-1]


def test_help_is_grouped() -> None:
    text = run("--help").output
    headings = [line for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Arguments:", "How long:", "What:", "Options:"]
    assert "The end. [never]" in text
    assert "Parts. Of p, q; several with commas. [p]" in " ".join(text.split())
    assert "--on / --no-on" in text
    assert "hidden" not in text
