"""The house holds: arrows between rooms, sizes of files and functions, nothing unpickled, tests without benchmarks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("exlm_chem/**/*.py"), *ROOT.glob("cli/*.py"), ROOT / "data/__init__.py"])
SCRIPTS = sorted([*ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("data/make_*.py"), *ROOT.glob("docs/*.py")])

TESTS = sorted(ROOT.glob("tests/**/*.py"))

# From the ground up; a room may import from those in the lines before its own, and never the other way round. Rooms of
# one line do not know each other, except the ground, which is read from left to right.
GROUND = ("errors", "terms", "data", "options", "machine", "storage")
FLOORS = (
    *((room,) for room in GROUND),
    ("smiles",),
    ("tables",),
    ("locations", "sentence_files"),
    ("base_tokenizer",),
    ("tokenizer",),
    ("text_tokenizer",),
    ("token_counts", "modeling"),
    ("model_directory",),
    ("training",),
    ("embedding",),
    ("features", "hf"),
    ("heads",),
    ("predictors",),
    ("finetuning", "prediction", "publishing"),
    ("generation",),  # its page is that of a prediction
    ("analysis", "evaluation", "data_sets"),
    ("cli",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# Stands beside the embedding: it makes encoders, and of the features it uses those that need none.
BESIDE = "pretraining"
BELOW_PRETRAINING = {
    *GROUND, "smiles", "tables", "locations", "base_tokenizer", "tokenizer", "text_tokenizer",
    "token_counts", "modeling", "model_directory", "training", "features",
}  # fmt: skip
ABOVE_PRETRAINING = {"cli", "analysis", "evaluation"}

MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 300, 60, 8
# Functions that may have more parameters or lines, and why. The list shall only become shorter.
EXCEPTIONS = {}

UNPICKLING_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
PROCESSES = ["joblib", "externals", "loky"]  # its own children's answers are all that it unpickles
UNPICKLING_CALLS = {
    "torch.load", "torch.jit.load", "torch.hub.load", "pd.read_pickle", "pandas.read_pickle", "yaml.load",
    "yaml.unsafe_load", "eval", "exec", "accelerator.load_state",
}  # fmt: skip


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room_of(path: Path) -> str:
    first, *rest = path.relative_to(ROOT).with_suffix("").parts
    return rest[0] if first == "exlm_chem" else first


def imports(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line and dotted name of everything that a file imports while it runs, inside of functions too."""
    tree = parsed(path)
    conditions = (node for node in ast.walk(tree) if isinstance(node, ast.If))
    for_types = {
        id(inside)
        for node in conditions
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for inside in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.split(".")
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield node.lineno, [*(node.module or "").split("."), alias.name]


def functions(path: Path) -> Iterator[tuple[str, int, int]]:
    """Give name, lines without docstring, and number of parameters without ``self`` of every function of a file."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node) is not None:
                lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield node.name, lines, sum(argument.arg not in ("self", "cls") for argument in given)


def may_import(room: str, there: str) -> bool:
    if room == BESIDE:
        return there in BELOW_PRETRAINING
    if there == BESIDE:
        return room in ABOVE_PRETRAINING
    return FLOOR_OF[there] < FLOOR_OF[room]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_arrows(path: Path) -> None:
    room = room_of(path)
    if room in ("__init__", "zoo"):  # the public names are loaded lazily; the zoo holds weights
        return
    assert room in FLOOR_OF or room == BESIDE, f"give the new room {room} its floor in {Path(__file__).name}"
    rooms = {(line, names[1]) for line, names in imports(path) if names[0] == "exlm_chem" and len(names) > 1}
    wrong = {
        (line, there) for line, there in rooms if there not in (room, "__version__") and not may_import(room, there)
    }
    assert wrong == set()


def test_nothing_imports_the_command_line() -> None:
    users = [name_of(path) for path in SOURCES if room_of(path) != "cli" for _, names in imports(path)
             if names[:2] == ["exlm_chem", "cli"]]  # fmt: skip
    assert users == []


@pytest.mark.parametrize("path", [*SOURCES, *SCRIPTS], ids=name_of)
def test_sizes(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES, f"{name_of(path)} has {lines} lines: it holds more than one concept"
    large = {
        f"{name_of(path)}:{name}": f"{length} lines, {parameters} parameters"
        for name, length, parameters in functions(path)
        if length > MOST_FUNCTION_LINES or parameters > MOST_PARAMETERS
    }
    assert large == {}


@pytest.mark.parametrize("path", [*SOURCES, *SCRIPTS], ids=name_of)
def test_nothing_is_unpickled(path: Path) -> None:
    used = [names for _, names in imports(path) if names[:3] != PROCESSES]
    found = [names[0] for names in used if names[0] in UNPICKLING_MODULES]
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            call = ast.unparse(node.func)
            found += [call] if call in UNPICKLING_CALLS or call.endswith(".load_state") else []
            # Whatever the value is: neither may be asked for.
            found += [word.arg for word in node.keywords if word.arg in ("allow_pickle", "trust_remote_code")]
    assert found == []


def test_benchmarks_and_tests_do_not_import_each_other() -> None:
    pairs = ((SCRIPTS, "tests"), (TESTS, "benchmarks"))
    used = [(path, names[0], other) for paths, other in pairs for path in paths for _, names in imports(path)]
    assert [f"{name_of(path)} imports {other}" for path, name, other in used if name == other] == []


def test_unit_tests_mirror_the_package() -> None:
    """A folder of unit tests is a room, and a test file in it names a file of that room, or a part of one."""
    for folder in ROOT.glob("tests/unit/*/"):
        if any(folder.glob("test_*.py")):
            assert (ROOT / "exlm_chem" / folder.name).is_dir() or folder.name in ("cli", "data"), folder.name


@pytest.mark.parametrize("path", sorted({*ROOT.glob("tests/cli/*.py")} - {ROOT / "tests/cli/runner.py"}), ids=name_of)
def test_commands_are_started_by_the_runner(path: Path) -> None:
    """Only Python code is run beside it, and processes that a test has to watch while they live (``Popen``)."""
    calls = [ast.unparse(node) for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
    started = [call for call in calls if call.startswith(("subprocess.run(", "subprocess.check", "subprocess.call("))]
    assert [call for call in started if not call.startswith("subprocess.run([sys.executable, '-c', ")] == []
    assert [call for call in calls if "'argv'" in call or "with_name('exlm-chem')" in call] == []
