"""Options: one field of a dataclass gives the Python argument, the flag, its help, its choices and what it may be.

A dataclass of options declares each field by `option`, ends in `check_options` and is documented by `documented`;
``cli/options.py`` makes the flags from it. Nothing about an option is written down twice.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from exlm_chem.errors import ExLMError, quoted

T = TypeVar("T")
LARGEST = 2**63 - 1  # of what numpy, torch and safetensors can hold


@dataclass(frozen=True, kw_only=True)
class Option:
    """What is known of an option besides its type and default.

    Attributes
    ----------
    help : str
        One or two sentences for ``--help``.
    note : str
        What the documentation of the class says besides.
    group : str
        The heading in ``--help`` under which it stands.
    flag, short : str
        The flag, if it is not ``--`` and the field's name with hyphens; its short form, like ``-o``.
    shown : str
        The default in words, where it is None or found at run time.
    metavar : str
        What stands for the value in ``--help``.
    parse : callable, optional
        Makes the value from the text on the command line, where that is not written as the type is.
    on_command_line : bool
        Whether it has a flag of its own; if not, the flag is only what messages name.
    least, above, most, below : float, optional
        Bounds of a number: the smallest and the largest that are allowed, or those that just are not.
    """

    help: str
    note: str = ""
    group: str = ""
    flag: str = ""
    short: str = ""
    shown: str = ""
    metavar: str = ""
    parse: Callable[[str], Any] | None = None
    on_command_line: bool = True
    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None


def option(default: Any, help: str, **known: Any) -> Any:  # noqa: A002  (the word that typer and argparse have)
    """Declare a field of a dataclass of options.

    Parameters
    ----------
    default : object
        Of the field; ``...`` for none, then it must be given.
    help : str
        For ``--help``.
    **known
        See `Option`.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Heat:
    ...     degrees: float = option(20.0, "How warm it is.", above=-273.15)
    >>> Heat()
    Heat(degrees=20.0)
    """
    metadata = {"option": Option(help=help, **known)}
    return field(metadata=metadata) if default is ... else field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Declared:
    """An option as it is declared in its class.

    Attributes
    ----------
    name : str
        Of the field.
    type : object
        Its type without None.
    default : object
        `dataclasses.MISSING` for an option that must be given.
    about : Option
    """

    name: str
    type: Any
    default: Any
    about: Option

    @property
    def flag(self) -> str:
        """The flag on the command line."""
        return self.about.flag or "--" + self.name.replace("_", "-")

    @property
    def several(self) -> bool:
        """Whether the value is a tuple."""
        return get_origin(self.type) is tuple

    @property
    def choices(self) -> tuple[str, ...]:
        """What the value, or each of several, may be; empty where that is free."""
        inner = get_args(self.type)[0] if self.several else self.type
        return get_args(inner) if get_origin(inner) is Literal else ()


def declared(cls: type) -> list[Declared]:
    """Give the options of a dataclass; a field without `option` is none.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Heat:
    ...     degrees: float | None = option(None, "How warm it is.")
    >>> [(one.flag, one.type) for one in declared(Heat)]
    [('--degrees', <class 'float'>)]
    """
    hints = get_type_hints(cls)
    return [
        Declared(entry.name, _without_none(hints[entry.name]), entry.default, entry.metadata["option"])
        for entry in dataclasses.fields(cls)
        if "option" in entry.metadata
    ]


def check_options(options: Any) -> None:
    """Check every option of a dataclass against its type, its choices and its bounds; for ``__post_init__``.

    Raises
    ------
    ExLMError
        Names the flag, what is allowed and what was given.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Heat:
    ...     degrees: float = option(20.0, "How warm it is.", above=-273.15)
    >>> check_options(Heat(float("nan")))
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: --degrees must be a number larger than -273.15, not nan.
    """
    for one in declared(type(options)):
        value = getattr(options, one.name)
        if value is None and one.default is None:
            continue
        if one.several and not isinstance(value, tuple):
            raise ExLMError(f"{one.flag} must be a tuple, not {_short(value)}.")
        for item in value if one.several else (value,):
            _check(one, item)


def from_json(cls: type[T], saved: object) -> T:
    """Make a dataclass of options from what JSON made of one: lists become tuples again.

    Parameters
    ----------
    cls : type
        The dataclass.
    saved : object
        Should be a dict with names of fields; one that is missing has its default.

    Raises
    ------
    ExLMError
        When it is none, holds a name that is no option, or a value that cannot be.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Heat:
    ...     places: tuple[str, ...] = option((), "Where it is warm.")
    >>> from_json(Heat, {"places": ["sun"]})
    Heat(places=('sun',))
    """
    known = {one.name: one for one in declared(cls)}
    if not isinstance(saved, dict) or (unknown := saved.keys() - known.keys()):
        what = f"{quoted(min(unknown, key=str))} is no option" if isinstance(saved, dict) else "there are no options"
        raise ExLMError(f"{what} of {cls.__name__}; the file was not written by this version of ExLM-chem.")
    several = (name for name, value in saved.items() if known[name].several and isinstance(value, list))
    return cls(**saved | {name: tuple(saved[name]) for name in several})


def documented(cls: type[T]) -> type[T]:
    """Write the options of a dataclass into its documentation, as the section "Attributes"."""
    lines = [cls.__doc__ or "", "", "Attributes", "----------"]
    for one in declared(cls):
        inner = get_args(one.type)[0] if one.several else one.type
        kind = "{" + ", ".join(map(repr, one.choices)) + "}" if one.choices else getattr(inner, "__name__", str(inner))
        lines.append(f"{one.name} : {'tuple of ' if one.several else ''}{kind}{', optional' * (one.default is None)}")
        lines.append("    " + " ".join(filter(None, (one.about.help, one.about.note))))
    cls.__doc__ = "\n".join(lines)
    return cls


def _check(one: Declared, value: Any) -> None:
    kind = get_args(one.type)[0] if one.several else one.type
    wanted = _wanted(one, kind)
    if one.choices:
        right = isinstance(value, str) and value in one.choices
    elif kind in (int, float):
        right = _is_number(value, kind) and _within(one.about, value)
    else:
        right = not isinstance(kind, type) or isinstance(value, kind)
    if not right:
        raise ExLMError(f"{one.flag} must be {wanted}, not {_short(value)}.")


def _is_number(value: Any, kind: type) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(value, int):
        return abs(value) <= LARGEST
    return kind is float and math.isfinite(value)


def _within(about: Option, value: float) -> bool:
    return (
        (about.least is None or value >= about.least)
        and (about.above is None or value > about.above)
        and (about.most is None or value <= about.most)
        and (about.below is None or value < about.below)
    )


def _wanted(one: Declared, kind: Any) -> str:
    about = one.about
    if one.choices:
        return "one of " + ", ".join(one.choices)
    noun = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}.get(kind, str(kind))
    bounds = [
        f"{word} {bound:.10g}"
        for word, bound in (
            ("of at least", about.least),
            ("larger than", about.above),
            ("of at most", about.most),
            ("smaller than", about.below),
        )
        if bound is not None
    ]
    return " ".join([noun, " and ".join(bounds)]).strip()


def _short(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        rest = [part for part in get_args(hint) if part is not NoneType]
        return rest[0] if len(rest) == 1 else Union[tuple(rest)]  # noqa: UP007
    return hint
