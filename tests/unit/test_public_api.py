"""Every public class and function: described, shown by its repr, saved and read again, failing in one sentence."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import exlm_chem
from exlm_chem.errors import ExLMError

WITHOUT_DEEPCHEM = sorted({*exlm_chem.__all__} - {"__version__", "ExLMFeaturizer", "ExLMModel"})
OPTIONAL = ("deepchem", "deepchem_model", "skfp", "molfeat", "engines.ray")  # modules for what need not be installed
CAFFEINE = "Cn1c(=O)c2c(ncn2C)n(C)c1=O"


@cache
def public_objects() -> dict[str, Any]:
    """All public classes and functions of the package, where they are defined."""
    found = {}
    for module in pkgutil.walk_packages(exlm_chem.__path__, "exlm_chem."):
        if module.name.startswith("exlm_chem.zoo") or module.name.endswith(OPTIONAL):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            here = getattr(value, "__module__", None) == module.name and not name.startswith("_")
            if here and (inspect.isclass(value) or inspect.isfunction(value)):
                found[f"{module.name}.{name}"] = value
    return found


def methods(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, value in vars(cls).items():
        function = getattr(value, "__func__", value)
        if inspect.isfunction(function) and not name.startswith("_") and function.__name__ == name:  # and no lambda
            yield name, function


def arguments(function: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


def documented(text: str, section: str) -> list[str] | None:
    """Names in a numpydoc section, None if there is no such section."""
    found = re.search(rf"^{section}\n-+\n(.*?)(?=^\S[^\n]*\n-+$|\Z)", inspect.cleandoc(text), re.DOTALL | re.MULTILINE)
    if found is None:
        return None
    heads = re.findall(r"^(\S[^\n]*?)(?: : [^\n]*)?$", found[1], re.MULTILINE)
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def test_there_is_much_to_look_at() -> None:
    assert len(public_objects()) > 200


def test_everything_public_has_a_docstring() -> None:
    silent = [name for name, value in public_objects().items() if not value.__doc__]
    silent += [
        f"{name}.{method}"
        for name, value in public_objects().items()
        if inspect.isclass(value)
        for method, function in methods(value)
        if not function.__doc__
    ]
    assert silent == []


def test_described_parameters_are_those_of_the_signature() -> None:
    wrong = {}
    for name, value in public_objects().items():
        described = documented(value.__doc__, "Parameters")
        if described is not None:
            wrong[name] = sorted(described), sorted(inspect.signature(value).parameters)
        if not inspect.isclass(value):
            continue
        for method, function in methods(value):
            told = documented(function.__doc__ or "", "Parameters")
            if told is not None:
                wrong[f"{name}.{method}"] = sorted(told), sorted(arguments(function))
    wrong = {name: pair for name, pair in wrong.items() if pair[0] != pair[1]}
    assert wrong == {}


def test_a_described_attribute_exists() -> None:
    wrong = []
    for name, value in public_objects().items():
        if dataclasses.is_dataclass(value):
            fields = {field.name for field in dataclasses.fields(value)}
            told = documented(value.__doc__, "Attributes") or []
            wrong += [f"{name}.{one}" for one in told if one not in fields and not hasattr(value, one)]
    assert wrong == []


@pytest.mark.parametrize("name", WITHOUT_DEEPCHEM)
def test_public_class_is_described_in_full(name: str) -> None:
    cls = getattr(exlm_chem, name)
    sections = [documented(cls.__doc__, section) for section in ("Parameters", "Examples")]
    assert None not in sections
    for method, function in methods(cls):
        if len(arguments(function)) > 2:
            assert documented(function.__doc__ or "", "Parameters") is not None, f"{name}.{method}"


def test_every_exception_is_ours() -> None:
    exceptions = [v for v in public_objects().values() if inspect.isclass(v) and issubclass(v, BaseException)]
    assert exceptions
    assert [one.__name__ for one in exceptions if not issubclass(one, ExLMError)] == []


@pytest.fixture(scope="module")
def instances(tiny_predictors: Path) -> dict[str, Any]:
    return {
        "ExLM": exlm_chem.ExLM.from_pretrained(tiny_predictors / "salt", device="cpu"),
        "ExLMTokenizer": exlm_chem.ExLMTokenizer(),
        "ExLMTransformer": exlm_chem.ExLMTransformer(tiny_predictors / "salt", device="cpu"),
        "Infiller": exlm_chem.Infiller.from_pretrained(tiny_predictors / "tiny", device="cpu"),
        "Predictor": exlm_chem.Predictor.from_pretrained(tiny_predictors / "sol", device="cpu"),
    }


def test_an_instance_of_each(instances: dict[str, Any]) -> None:
    assert sorted(instances) == sorted(WITHOUT_DEEPCHEM)


@pytest.mark.parametrize("name", WITHOUT_DEEPCHEM)
def test_repr_says_what_it_is(name: str, instances: dict[str, Any]) -> None:
    shown = " ".join(repr(instances[name]).split())  # scikit-learn's has several lines
    assert shown.startswith(f"{name}(")
    assert shown.endswith(")")
    assert " at 0x" not in shown
    assert len(shown) < 300


def pickled(instance: Any) -> Any:
    """Send it to another process, as scikit-learn's parallel searches do."""
    return pickle.loads(pickle.dumps(instance))  # noqa: S301


def answer(instance: Any) -> Any:
    match type(instance).__name__:
        case "ExLM":
            return instance.embed([CAFFEINE]).tolist()
        case "ExLMTokenizer":
            return instance.encode(CAFFEINE)
        case "Infiller":
            return [(one.smiles, one.log_likelihood) for one in instance.fill("C[MASK]C")]
        case "ExLMTransformer":
            return instance.transform([CAFFEINE]).tolist()
        case _:
            return instance.predict([CAFFEINE]).drop(columns=["note", "error"]).to_numpy().tolist()


@pytest.mark.parametrize("name", WITHOUT_DEEPCHEM)
@pytest.mark.parametrize("way", [deepcopy, pickled], ids=["copy", "pickle"])
def test_a_copy_answers_the_same(name: str, way: Callable[[Any], Any], instances: dict[str, Any]) -> None:
    assert answer(way(instances[name])) == answer(instances[name])


@pytest.mark.parametrize("name", ["ExLM", "ExLMTokenizer"])
def test_saved_and_read_again(name: str, instances: dict[str, Any], tmp_path: Path) -> None:
    instances[name].save_pretrained(tmp_path / "saved")
    again = type(instances[name]).from_pretrained(tmp_path / "saved")
    assert np.allclose(answer(again), answer(instances[name]), atol=1e-3)  # weights are stored in half precision


def test_a_clone_has_the_same_parameters(instances: dict[str, Any]) -> None:
    from sklearn.base import clone

    transformer = instances["ExLMTransformer"]
    assert clone(transformer).get_params() == transformer.get_params()


FAILURES: dict[str, Callable[[Path], Any]] = {
    "no such model": lambda _: exlm_chem.ExLM.from_pretrained("no-such-model"),
    "no such folder": lambda folder: exlm_chem.ExLM.from_pretrained(folder / "nothing"),
    "an empty folder": exlm_chem.ExLM.from_pretrained,
    "a device of nowhere": lambda _: exlm_chem.ExLM.from_pretrained("exlm-small", device="abacus"),
    "no such predictor": lambda _: exlm_chem.Predictor.from_pretrained("no-such-task"),
    "an encoder is no predictor": lambda _: exlm_chem.Predictor.from_pretrained("exlm-small"),
    "a tokenizer of nowhere": lambda folder: exlm_chem.ExLMTokenizer.from_pretrained(folder / "nothing"),
    "no such scheme": lambda _: exlm_chem.ExLMTokenizer("no-such-scheme"),
    "no such pooling": lambda _: exlm_chem.ExLM.from_pretrained("exlm-small", device="cpu").embed(["C"], "sum"),
    "no such rule": lambda _: exlm_chem.ExLMTransformer(on_invalid="whistle", device="cpu").transform(["C"]),
    "a transformer without model": lambda folder: exlm_chem.ExLMTransformer(folder).fit(),
    "no molecule": lambda _: exlm_chem.ExLMTransformer(on_invalid="raise", device="cpu").transform(["no molecule"]),
    "no list": lambda _: exlm_chem.ExLMTransformer(device="cpu").transform(np.zeros((2, 3, 4))),
    "no mask": lambda _: exlm_chem.Infiller.from_pretrained(device="cpu").fill("CCO"),
    "no SMILES": lambda _: exlm_chem.ExLMTokenizer().encode("no SMILES"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_a_user_does_wrong_is_told_in_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(ExLMError) as caught:
        FAILURES[name](tmp_path)
    assert len(str(caught.value)) > 20
    assert "\n" not in str(caught.value)
