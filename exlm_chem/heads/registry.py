"""The heads by their names, and how one is read from a directory."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any, Final

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.heads.arrays import Arrays
from exlm_chem.heads.head import Head
from exlm_chem.heads.space import USUAL, Parameters
from exlm_chem.heads.spec import HeadSpec
from exlm_chem.storage.records import from_json

HEADS: Final[dict[str, str]] = {
    "average": "exlm_chem.heads.average:AverageHead",
    "linear": "exlm_chem.heads.linear:LinearHead",
    "kernel": "exlm_chem.heads.kernel:KernelHead",
    "boosting": "exlm_chem.heads.boosting:BoostingHead",
    "network": "exlm_chem.heads.network:NetworkHead",
}
"""The first is the default. A module is loaded when its head is wanted."""

TRAINED: Final[dict[str, str]] = {
    "layer": "exlm_chem.heads.layer:LayerHead",
    "calibrated": "exlm_chem.heads.calibrated:CalibratedHead",
    "ensemble": "exlm_chem.heads.ensemble:EnsembleHead",
}
"""Those that are not fitted by themselves, but can be read."""

ALLOWED: Final = "EXLM_CHEM_HEADS"
"""The environment variable with the heads of one's own, package.module:Class, that a directory may name; with commas
between several."""

_own: dict[str, type[Head]] = {}


def make_head(name: str, parameters: Parameters = USUAL) -> Head:
    """Make a head that is not fitted yet.

    Parameters
    ----------
    name : str
        One of `HEADS`, or "package.module:Class" for a subclass of `Head` of one's own.
    parameters : mapping, optional
        Of its `space`.

    Raises
    ------
    ExLMError
        If there is no such head.

    Examples
    --------
    >>> make_head("linear")
    LinearHead()
    """
    if name in HEADS:
        head = _imported(HEADS[name])()
        head.parameters = parameters
        return head
    if ":" in name:
        own = _imported(name)
        register_head(own, name)
        head = own()
        head.parameters = parameters
        return head
    raise ExLMError(f"there is no head {quoted(name)}; use {', '.join(HEADS)}, or package.module:Class for your own")


def register_head(head: type[Head], name: str | None = None) -> None:
    """Make a head of one's own known, so that directories with it can be read.

    Parameters
    ----------
    head : type
        A subclass of `Head`.
    name : str, optional
        By which it is known; "package.module:Class" by default. It becomes the ``name`` of the class.
    """
    if not (isinstance(head, type) and issubclass(head, Head)):
        raise ExLMError(f"{quoted(head)} is no subclass of exlm_chem.heads.head.Head")
    head.name = name or f"{head.__module__}:{head.__qualname__}"
    _own[head.name] = head


def load_head(content: HeadSpec | dict[str, Any], directory: Path) -> Head:
    """Read a head from its description and its file.

    No code is imported because a directory names it: a head of one's own has to be known already, or be named in the
    environment variable `ALLOWED`.

    Raises
    ------
    ExLMError
        If the description, or a file, is not what it should be; the message says what is wrong.
    """
    spec = _spec(content)
    return _class_of(spec).load(spec, directory)


def restored_head(content: dict[str, Any], arrays: Arrays) -> Head:
    """Make a head, which is part of another one, of its description and its arrays."""
    spec = _spec(content)
    return _class_of(spec).restored(spec, arrays)


def _spec(content: HeadSpec | dict[str, Any]) -> HeadSpec:
    return content if isinstance(content, HeadSpec) else from_json(HeadSpec, content, "head")


def _class_of(spec: HeadSpec) -> type[Head]:
    known = HEADS | TRAINED
    if spec.name in known:
        return _imported(known[spec.name])
    if spec.name in _own:
        return _own[spec.name]
    if spec.name in os.environ.get(ALLOWED, "").split(","):
        register_head(_imported(spec.name), spec.name)
        return _own[spec.name]
    raise ExLMError(
        f"its head is {quoted(spec.name)}, which this version of ExLM-chem does not know; if it is one of your own, "
        f"name it in the environment variable {ALLOWED}, or call exlm_chem.heads.registry.register_head first"
    )


def _imported(path: str) -> type[Head]:
    module, _, name = path.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ExLMError(f"there is no head {quoted(path)}: {error}") from None
    if not (isinstance(found, type) and issubclass(found, Head)):
        raise ExLMError(f"{quoted(path)} is no subclass of exlm_chem.heads.head.Head")
    return found
