"""The command ``exlm-chem``: finds the file of a command, runs it, and turns failures into one sentence.

A command's file is imported only when that command runs: ``exlm-chem --help`` needs neither torch nor pandas nor RDKit.
"""

import os
import signal
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from exlm_chem import __version__
from exlm_chem.errors import ExLMError, printable

from .options import GroupedCommand
from .streams import say, standard_streams

COMMANDS = {
    "pretrain": "Pretrain a model on SMILES files.",
    "finetune": "Train a predictor on a table of measured molecules.",
    "predict": "Predict properties of molecules.",
    "search": "Find the molecules of a library that are nearest to yours.",
    "map": "Draw molecules as a map: like ones lie together.",
    "rank": "Choose the compounds worth measuring next.",
    "embed": "Turn molecules into vectors.",
    "fill": "Propose what stands in masked places of molecules.",
    "tokenize": "Show the tokens of SMILES.",
    "evaluate": "Judge a predictor on measured molecules.",
    "benchmark": "Compare features and heads on measured molecules.",
    "compare": "Tell which of several runs is better.",
    "analyze": "Look into a model: what its states, masks and paths do.",
    "data": "List, fetch and describe tables of measured molecules.",
    "models": "List, show, check, export and publish models.",
    "info": "Print versions, devices and speed for a bug report.",
}
"""Every command and its line in ``exlm-chem --help``; ``cli/NAME.py`` holds the function ``NAME``."""

TORCH = {"torch", "accelerate"}
"""What is not part of the default installation and many commands need; see ``pyproject.toml``."""


class LazyCommands(TyperGroup):
    """A group whose commands are placeholders (name and help line) until one of them is to run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Put the real command into the place of its placeholder, then go on as usual."""
        if args and args[0] in self.commands:
            group = [] if self.name == app.info.name else [str(self.name)]
            self.commands[args[0]] = load_command(" ".join([*group, args[0]]))
        return super().resolve_command(ctx, args)


def load_command(name: str) -> Any:
    """Import ``cli/NAME.py`` and make its function ``NAME`` a command; its ``EXAMPLE`` ends the help text.

    The command "GROUP NAME" is the function ``NAME`` of ``cli/GROUP_NAME.py``; a module with ``COMMANDS`` is a group.

    Examples
    --------
    >>> load_command("info").epilog.splitlines()[1:]
    ['Example:', '  exlm-chem info --json']
    >>> load_command("analyze graph").name, "graph" in load_command("analyze").commands
    ('graph', True)
    """
    module = import_module(f".{name.replace(' ', '_')}", __package__)
    word = name.rpartition(" ")[2]
    single = typer.Typer(name=word, add_completion=False, rich_markup_mode=None)
    epilog = f"\b\nExample:\n  {module.EXAMPLE}"  # "\b" keeps the line breaks of the paragraph that follows
    if hasattr(module, "COMMANDS"):
        single.callback(cls=LazyCommands, epilog=epilog, no_args_is_help=True)(getattr(module, word))
        _add_placeholders(single, module.COMMANDS)
    else:
        single.command(word, cls=GroupedCommand, epilog=epilog)(getattr(module, word))
    return typer.main.get_command(single)


def all_commands() -> list[str]:
    """Name all commands that do something, those of groups by two words.

    Examples
    --------
    >>> "analyze graph" in all_commands(), "analyze" in all_commands()
    (True, False)
    """
    groups = {name: import_module(f".{name}", __package__) for name in COMMANDS}
    return [
        " ".join([name, *inner])
        for name, module in groups.items()
        for inner in ([[one] for one in module.COMMANDS] if hasattr(module, "COMMANDS") else [[]])
    ]


app = typer.Typer(
    name="exlm-chem",
    cls=LazyCommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich would take [MASK] and [nH] for markup
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"exlm-chem {__version__}")
        raise typer.Exit


@app.callback(epilog="\b\nExample:\n  exlm-chem predict --task bbbp data/examples.csv")
def exlm_chem(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="EXLM_CHEM_DEBUG", help="Show the traceback of a failure.")
    ] = False,
) -> None:
    """ExLM for chemistry: pretrain on SMILES, embed molecules, predict their properties."""
    # Nothing to do: --version has its callback, and main() takes --debug out of the arguments, so that it may stand
    # anywhere; it is an option here to be in the help text.


def _placeholder() -> None:
    raise AssertionError("a placeholder is replaced before it runs")  # pragma: no cover


def _add_placeholders(group: typer.Typer, commands: dict[str, str]) -> None:
    for name, line in commands.items():
        group.command(name, help=line)(_placeholder)


_add_placeholders(app, COMMANDS)


def explain(error: Exception) -> str:
    """Say in one sentence what went wrong.

    Examples
    --------
    >>> explain(FileNotFoundError(2, "No such file or directory", "molecules.csv"))
    'molecules.csv: no such file or directory'
    >>> explain(ExLMError("the file has no column 'smiles'"))
    "the file has no column 'smiles'"
    >>> explain(KeyError("x"))
    "unexpected KeyError: 'x'; run with --debug to see where it comes from"
    """
    if isinstance(error, ExLMError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and str(error.name).partition(".")[0] in TORCH:
        return "this needs torch, which is not installed; run: pip install 'exlm-chem[torch]'"
    if isinstance(error, OSError):
        if error.filename is not None and error.strerror:
            return printable(f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}")
        return printable(str(error))
    text = printable(" ".join(str(error).split()))
    return f"unexpected {type(error).__name__}: {text}; run with --debug to see where it comes from"


def main() -> None:
    """Run the command line; exit status 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated."""
    args = [arg for arg in sys.argv[1:] if arg != "--debug"]
    debug = len(args) < len(sys.argv) - 1 or bool(os.environ.get("EXLM_CHEM_DEBUG"))
    # SystemExit instead of sudden death: unfinished output files are taken away on the way out.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with standard_streams():
        try:
            try:
                app(args=args, prog_name="exlm-chem")
            finally:
                with suppress(BrokenPipeError):  # a reader that has gone away (``| head``) is worth no message
                    sys.stdout.flush()
        except KeyboardInterrupt:  # typer handles most of them, but not during an import
            sys.exit(130)
        except Exception as error:  # noqa: BLE001  (the user gets a sentence, --debug the traceback)
            if debug:
                traceback.print_exc()
            say(f"exlm-chem: {explain(error)}")
            sys.exit(1)


if __name__ == "__main__":
    main()
