"""Flags from dataclasses: what a command says of its options stands in one class, see `exlm_chem.options`."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.core import TyperCommand

from exlm_chem.errors import ExLMError
from exlm_chem.options import Declared, declared


def takes_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take dataclasses of options: each parameter that is annotated with one becomes its flags.

    A tuple of choices is given with commas between them (``none`` for an empty one), a tuple of free texts by
    repeating the flag; a flag that is on unless it is switched off has the opposite ``--no-NAME``. What a value may be
    is checked by the class; what it refuses is wrong usage.

    Parameters
    ----------
    command : callable
        A function for typer; parameters that are no dataclasses are typer's as always.

    Returns
    -------
    callable
        The function that typer sees.

    Examples
    --------
    >>> from exlm_chem.options import option
    >>> @dataclasses.dataclass(frozen=True)
    ... class Heat:
    ...     degrees: float = option(20.0, "How warm it is.")
    >>> @takes_options
    ... def stove(heat: Heat) -> None:
    ...     print(heat)
    >>> stove(degrees=3.0)
    Heat(degrees=3.0)
    """
    hints = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    classes: dict[str, tuple[type, list[Declared]]] = {}
    for name, parameter in inspect.signature(command).parameters.items():
        if dataclasses.is_dataclass(hints[name]) and isinstance(hints[name], type):
            classes[name] = hints[name], declared(hints[name])
            parameters += [_parameter(one) for one in classes[name][1] if one.about.on_command_line]
        else:
            kind = inspect.Parameter.KEYWORD_ONLY
            parameters.append(parameter.replace(annotation=hints[name], kind=kind))

    @functools.wraps(command)
    def wrapper(**given: Any) -> None:
        for name, (cls, options) in classes.items():
            values = {one.name: _value(one, given.pop(one.name)) for one in options if one.name in given}
            try:
                given[name] = cls(**{field: value for field, value in values.items() if value is not _DEFAULT})
            except ExLMError as error:
                raise typer.BadParameter(str(error)) from None
        command(**given)

    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    wrapper.__annotations__ = {one.name: one.annotation for one in parameters}
    return wrapper


class GroupedCommand(TyperCommand):
    """A command whose ``--help`` lists its options under the headings of their groups."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then options group by group in the order of their first appearance."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        general = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if parameter.param_type_name == "argument":
                sections["Arguments"].append(record)
            elif group := getattr(parameter, "rich_help_panel", None):
                sections.setdefault(group, []).append(record)
            else:
                general.append(record)
        sections["Options"] = general
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


_DEFAULT = object()


def _parameter(one: Declared) -> inspect.Parameter:
    about = one.about
    required = one.default is dataclasses.MISSING
    default: Any = one.default
    flags = [*filter(None, (one.flag, about.short))]
    text, shown = about.help, about.shown
    kind: Any = one.type
    if about.parse is not None:
        kind, default, shown = str, None, shown or ("" if one.default is None else str(one.default))
    elif one.several and one.choices:
        kind, default = str, None
        shown = shown or ",".join(one.default) or "none"
        text = f"{text} Of {', '.join(one.choices)}; several with commas."
    elif one.several:
        kind, default = list[get_args(one.type)[0]], None  # type: ignore[misc]
    elif one.choices:
        names = [(value, value) for value in one.choices]
        kind = _enumeration(one.name, names)
        default = kind(default) if isinstance(default, str) else default
    elif one.type is bool:
        flags[0] = f"{one.flag}/--no-{one.flag.removeprefix('--')}" if default else one.flag
    if shown:
        text = f"{text} [{shown}]"
    if default is None and not required:
        kind = kind | None
    info = typer.Option(
        *flags, help=text, rich_help_panel=about.group or None, metavar=about.metavar or None, show_choices=True
    )
    return inspect.Parameter(
        one.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if required else default,
        annotation=Annotated[kind, info],
    )


def _enumeration(name: str, members: list[tuple[str, str]]) -> Any:
    return StrEnum(name, members)  # typer wants an enumeration for choices


def _value(one: Declared, given: Any) -> Any:
    """Turn what typer gives into what the dataclass wants; `_DEFAULT` where nothing was given."""
    if given is None:
        return _DEFAULT
    if isinstance(given, StrEnum):
        return given.value
    if one.about.parse is not None:
        try:
            return one.about.parse(given)
        except ExLMError as error:
            raise typer.BadParameter(str(error), param_hint=one.flag) from None
    if one.several and one.choices:
        names = dict.fromkeys(name.strip() for name in given.split(",") if name.strip())
        return () if list(names) == ["none"] else tuple(names)
    if one.several:
        return tuple(given) or _DEFAULT
    return given
