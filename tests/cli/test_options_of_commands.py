"""The flags of every command that takes a dataclass of options are the fields of that class: nothing stands twice."""

from __future__ import annotations

import dataclasses
import typing
from importlib import import_module
from typing import Any

import pytest

from exlm_chem.cli.main import all_commands, load_command
from exlm_chem.options import Declared, declared
from exlm_chem.pretraining.options import PretrainingOptions


def classes_of(command: str) -> list[type]:
    """The dataclasses that the function of a command takes."""
    function = getattr(import_module(f"exlm_chem.cli.{command.replace(' ', '_')}"), command.rpartition(" ")[2])
    hints = typing.get_type_hints(getattr(function, "__wrapped__", function), include_extras=True)
    return [hint for hint in hints.values() if isinstance(hint, type) and dataclasses.is_dataclass(hint)]


TAKEN = {command: classes for command in all_commands() if (classes := classes_of(command))}
DECLARED = [(command, one) for command, classes in TAKEN.items() for cls in classes for one in declared(cls)]


def test_options_of_pretraining_are_flags() -> None:
    assert PretrainingOptions in TAKEN["pretrain"]
    assert len(TAKEN) >= 4


@pytest.mark.parametrize(("command", "one"), DECLARED, ids=lambda value: getattr(value, "name", value))
def test_a_field_is_a_flag_with_its_help_and_default(command: str, one: Declared) -> None:
    flags = {flag: parameter for parameter in load_command(command).params for flag in parameter.opts}
    if not one.about.on_command_line:
        assert one.flag not in flags or flags[one.flag].name != one.name
        return
    parameter: Any = flags[one.flag]
    assert one.about.help.rstrip(".") in parameter.help
    assert not one.about.short or one.about.short in parameter.opts
    # What is not given is left to the class; no default stands on the command line's side.
    assert parameter.default is None or parameter.default == one.default or not parameter.default


@pytest.mark.parametrize("command", TAKEN)
def test_no_flag_stands_twice(command: str) -> None:
    opts = [flag for parameter in load_command(command).params for flag in (*parameter.opts, *parameter.secondary_opts)]
    assert len(opts) == len(set(opts))
