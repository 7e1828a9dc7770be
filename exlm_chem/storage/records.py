"""Records: what a JSON file says, as a dataclass whose every value has been checked.

A directory that was copied badly, edited by hand or written by another program gives one sentence that names the file
and the value, whatever is wrong with it; nothing unchecked reaches the code that computes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.storage.json_files import json_text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Between:
    """Bounds of a number, both allowed; beside its type in ``Annotated``.

    Examples
    --------
    >>> print(Between(1, 8))
    of 1 to 8
    """

    least: float
    most: float

    def __str__(self) -> str:
        return f"of {self.least:,} to {self.most:,}"


@dataclass(frozen=True, slots=True)
class Matching:
    """The pattern of a whole text, and what to call it; beside ``str`` in ``Annotated``."""

    pattern: str
    name: str


Sha256 = Annotated[str, Matching("[0-9a-f]{64}", "a sha256 (64 hexadecimal digits)")]
"""The sha256 of a file or of what it says."""


def content_sha256(content: dict[str, Any]) -> str:
    """Give the sha256 of what a JSON object says, however it is laid out; its own entry ``sha256`` is left out.

    Examples
    --------
    >>> content_sha256({"b": 1, "a": 2})[:8] == content_sha256({"a": 2, "b": 1, "sha256": "..."})[:8]
    True
    """
    said = {name: value for name, value in content.items() if name != "sha256"}
    try:
        written = json.loads(json_text(said))  # without NaN and -0.0, with lists for tuples, as it is in the file
        text = json.dumps(written, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        raise ExLMError("it is nested too deeply; copy it again") from None
    return hashlib.sha256(text.encode()).hexdigest()


def from_json(cls: type[T], content: object, where: str = "") -> T:
    """Make a dataclass from what JSON says of it; names that are no fields are left alone.

    Fields may be int, float, bool, str, ``Literal``, ``X | None``, tuples, lists, dicts with text as keys, other
    dataclasses, and ``Any``; ``Annotated`` adds `Between` or `Matching`.

    Parameters
    ----------
    cls : type
        A dataclass.
    content : object
        Should be a dict.
    where : str
        The place of the content in the file, for messages.

    Raises
    ------
    ExLMError
        Names the place, what is allowed there and what stands there.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Point:
    ...     x: Annotated[int, Between(0, 9)]
    ...     names: tuple[str, ...] = ()
    >>> from_json(Point, {"x": 3, "names": ["home"]})
    Point(x=3, names=('home',))
    >>> from_json(Point, {"x": "3"})
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: x must be a whole number of 0 to 9, not '3'
    """
    if not isinstance(content, dict):
        raise ExLMError(f"{where or 'it'} must be an object, not {_shown(content)}")
    values, hints = {}, get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        place = f"{where}.{field.name}" if where else field.name
        if field.name in content:
            values[field.name] = _converted(content[field.name], hints[field.name], place)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ExLMError(f"{place} is missing")
    return cls(**values)


class NewerFormatError(ExLMError):
    """A file that is whole, but only a newer version of ExLM-chem can read it."""


@contextmanager
def naming(path: str | Path, remedy: str = "copy the directory again") -> Iterator[None]:
    """Put the file and the remedy around what is wrong with its content.

    Examples
    --------
    >>> with naming("config.json"):
    ...     raise ExLMError("width must be a whole number, not null")
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: config.json: width must be a whole number, not null; copy the directory again
    """
    try:
        yield
    except NewerFormatError as error:
        raise ExLMError(f"{path}: {error}") from None
    except ExLMError as error:
        raise ExLMError(f"{path}: {error}; {remedy}") from None


def read_version(content: dict[str, Any], newest: int, name: str = "format_version") -> int:
    """Give the version of a file's format; the first one was written without.

    A version is read by all later ones, and refused by the earlier.

    Examples
    --------
    >>> read_version({}, 2), read_version({"format_version": 2}, 2)
    (1, 2)
    """
    version = content.get(name, 1)
    if not _fits(version, int, Between(1, 10**9)):
        raise ExLMError(f"{name} must be a whole number, not {_shown(version)}")
    if version > newest:
        known = " and ".join(map(str, range(1, newest + 1)))
        raise NewerFormatError(
            f"it has format {version}, and this version of ExLM-chem reads {known}; update ExLM-chem"
        )
    return int(version)


def check_content(content: dict[str, Any], required: bool) -> None:
    """Compare what a JSON object says with the sha256 that it was saved with, its entry ``sha256``.

    Raises
    ------
    ExLMError
        If a value was changed since, or the entry is missing though it is required.
    """
    digest = content.get("sha256")
    if digest is None and not required:
        return
    if digest != content_sha256(content):
        raise ExLMError("it does not say what was saved (other sha256): a value was changed or damaged")


def check_fields(record: Any) -> None:
    """Check the values of a dataclass against the types and bounds of its fields, for ``__post_init__``.

    Raises
    ------
    ExLMError
        Names the field, what is allowed and what was given.
    """
    hints = get_type_hints(type(record), include_extras=True)
    for field in dataclasses.fields(record):
        _converted(getattr(record, field.name), hints[field.name], field.name)


def _converted(value: Any, hint: Any, place: str) -> Any:
    """Give a value as a field wants it, or say why it cannot be."""
    hint, rule = (get_args(hint)[0], get_args(hint)[1]) if get_origin(hint) is Annotated else (hint, None)
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return None if value is None else _converted(value, _without_none(hint), place)
    if origin is tuple or origin is list:
        return _sequence(value, hint, place)
    if origin is dict:
        return _mapping(value, get_args(hint)[1], place)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return value if isinstance(value, hint) else from_json(hint, value, place)
    if hint is Any:
        return value
    if not _fits(value, hint, rule):
        raise ExLMError(f"{place} must be {_wanted(hint, rule)}, not {_shown(value)}")
    return float(value) if hint is float else value


def _fits(value: Any, hint: Any, rule: Any) -> bool:
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if hint is bool:
        return isinstance(value, bool)
    if hint in (int, float):
        if isinstance(value, bool) or not isinstance(value, int if hint is int else int | float):
            return False
        # an int of hundreds of digits has no float
        finite = abs(value) < 10**300 if isinstance(value, int) else math.isfinite(value)
        return finite and (rule is None or rule.least <= value <= rule.most)
    if not isinstance(value, str) or _is_no_text(value):
        return False
    return rule is None or re.fullmatch(rule.pattern, value) is not None


def _is_no_text(value: str) -> bool:
    """Whether a text holds half of a pair of surrogates that stands for no byte of a file either."""
    return not value.isascii() and any("\ud800" <= c <= "\udfff" and not "\udc80" <= c <= "\udcff" for c in value)


def _sequence(value: Any, hint: Any, place: str) -> Any:
    if not isinstance(value, list | tuple):
        raise ExLMError(f"{place} must be a list, not {_shown(value)}")
    kinds = get_args(hint)
    if get_origin(hint) is list or kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise ExLMError(f"{place} must be a list of {len(kinds)}, not of {len(value)}")
    return get_origin(hint)(
        _converted(one, kind, f"{place}[{index}]") for index, (one, kind) in enumerate(zip(value, kinds, strict=True))
    )


def _mapping(value: Any, kind: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ExLMError(f"{place} must be an object, not {_shown(value)}")
    return {name: _converted(one, kind, f"{place}.{quoted(name)}") for name, one in value.items()}


def _wanted(hint: Any, rule: Any) -> str:
    if isinstance(rule, Matching):
        return rule.name
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(get_args(hint))
    noun = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[hint]
    return noun if rule is None else f"{noun} {rule}"


def _shown(value: Any) -> str:
    """Say what stands in a file: a short value as it is there, anything larger by its kind."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return quoted(value, limit=40)
    if isinstance(value, int | float):
        return f"{value}" if isinstance(value, float) or abs(value) < 10**20 else "a number of more than 20 digits"
    return "a list" if isinstance(value, list | tuple) else "an object" if isinstance(value, dict) else repr(value)


def _without_none(hint: Any) -> Any:
    return next(part for part in get_args(hint) if part is not NoneType)
