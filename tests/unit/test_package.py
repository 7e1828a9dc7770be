"""The package as a whole: what importing it costs, what its wheel holds, what pyproject.toml promises."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import exlm_chem

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HEAVY = {"torch", "deepchem", "pandas", "rdkit", "numpy", "sklearn", "transformers"}


def python(code: str, **options) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, **options)
    return done.stdout


def test_import_loads_nothing_heavy():
    loaded = python("import sys, exlm_chem; print(*sys.modules)").split()
    assert HEAVY.isdisjoint(loaded)


@pytest.mark.parametrize("name", [name for name in exlm_chem.__all__ if name != "__version__"])
def test_public_name_is_what_its_module_holds(name):
    module = import_module(exlm_chem._MODULE_OF[name])
    assert getattr(exlm_chem, name) is getattr(module, name)
    assert name in dir(exlm_chem)


def test_unknown_name():
    with pytest.raises(AttributeError, match="has no attribute 'Exlm'"):
        exlm_chem.Exlm  # noqa: B018


def test_every_package_is_listed():
    """A package missing in pyproject.toml would be missing in the wheel, and only there."""
    inside = {".".join(init.parent.relative_to(ROOT).parts) for init in ROOT.glob("exlm_chem/**/__init__.py")}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == inside | {"exlm_chem.cli", "exlm_chem.data"}


def test_every_dependency_is_pinned_inside_its_range():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    pins = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins.items()}
    project = PYPROJECT["project"]
    wanted = chain(project["dependencies"], *project["optional-dependencies"].values())
    for requirement in map(Requirement, wanted):
        if requirement.name != "exlm-chem":
            assert requirement.specifier.contains(pins[requirement.name.lower()]), requirement


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, because setuptools leaves its build folder in the source tree."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("exlm_chem", "cli", "data"):
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*command, folder, folder / "source"], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_wheel_contents(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"exlm_chem"}
    assert {
        "exlm_chem/py.typed",
        "exlm_chem/cli/main.py",
        "exlm_chem/data/drugs.smi.gz",
        "exlm_chem/data/tasks.toml",
        "exlm_chem/data/examples.csv",
        "exlm_chem/data/zinc_20k.smi.gz",
    } <= set(names)
    models = [
        path.relative_to(ROOT).as_posix() for path in ROOT.glob("exlm_chem/zoo/*/*") if path.parent.name[0] != "_"
    ]
    assert set(models) <= set(names)


@pytest.mark.slow
def test_wheel_works_without_the_checkout(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "from exlm_chem.cli import main; from exlm_chem.data import data_path\n"
        "print(main.__file__); print(data_path('tasks.toml'))"
    )
    # Of two installations the one in PYTHONPATH comes first.
    lines = python(code, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}).splitlines()
    assert lines == [str(tmp_path / "exlm_chem/cli/main.py"), str(tmp_path / "exlm_chem/data/tasks.toml")]
