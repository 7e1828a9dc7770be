"""Which command fits a table, and what to look at before."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from exlm_chem.data_sets.column_profile import ColumnProfile
from exlm_chem.data_sets.molecule_profile import MoleculeProfile
from exlm_chem.errors import quoted
from exlm_chem.finetuning.splits.registry import RULES
from exlm_chem.finetuning.splits.split import PART_NAMES
from exlm_chem.options import declared
from exlm_chem.predictors.registry import registered_tasks
from exlm_chem.tables.columns import listed, normalised
from exlm_chem.tables.streams import STDIN

_MOST_TARGETS: Final = 12
_FEW: Final = 100  # molecules from which little can be learnt and less be said
_MANY_SALTS: Final = 0.05
_ONE_SCAFFOLD: Final = 0.8
_RARE: Final = 20  # rows of a class
_GROUPS: Final = frozenset("series cluster batch project chemotype group scaffold plate".split())
"""Words in the names of columns that say which molecules belong together."""


@dataclass(frozen=True)
class Advice:
    """What to do with a table.

    Attributes
    ----------
    sentence : str
        What can be learnt from it.
    commands : list of str
        That fit it, one for each kind of labels.
    warnings : tuple of str
        What should be looked at before.
    """

    sentence: str
    commands: list[str]
    warnings: tuple[str, ...] = ()


def advise(
    path: str | None, columns: Sequence[ColumnProfile], molecules: MoleculeProfile, options: Sequence[Any]
) -> Advice:
    """Say which line of ``finetune`` fits a table.

    Parameters
    ----------
    path : str or None
        The file; without one nothing can be learnt.
    columns : sequence of ColumnProfile
    molecules : MoleculeProfile
    options : sequence of dataclasses of options
        What the user says about the file and its labels, which the command has to say too.

    Examples
    --------
    >>> from exlm_chem.data import data_path
    >>> from exlm_chem.data_sets.description import describe
    >>> describe(data_path("examples.csv")).advice.sentence
    'no column holds labels that could be learnt; predict and embed read its molecules'
    """
    split = next((column for column in columns if _is_split(column)), None)
    warnings = tuple(_warnings([column for column in columns if column is not split], molecules))
    labels = [column for column in columns if column.is_label and column is not split]
    if path in (None, STDIN) or not labels or not molecules.readable:
        return Advice(_without_command(path, columns, molecules, labels), [], warnings)
    command = ["exlm-chem", "finetune", path or "", *chain.from_iterable(map(_said, options))]
    more = [*(_split(molecules) if split is None else _split_by(split.name)), *_standardise(molecules)]
    if (task := _task_of(columns, _stem(path or ""))) is not None:
        line = shlex.join([*command, "--task", task, *more, "-o", f"runs/{task}"])
        return Advice(f"its labels are those of the task {task}", [line], warnings)
    sentences, commands = [], []
    for kind, what in (("class", "classes"), ("number", "measurements")):
        group = [column.name for column in labels if column.kind == kind]
        if not group:
            continue
        sentences.append(f"{len(group)} {'column' if len(group) == 1 else 'columns'} of {what}: {listed(group)}")
        # a line break in a name is no use on a command line, and all white space is the same there
        names = [" ".join(target.split()) for target in group[:_MOST_TARGETS]]
        targets = [word for target in names for word in ("--target", target)]
        commands.append(shlex.join([*command, *targets, *more, "-o", f"runs/{_stem(path or '')}-{what}"]))
    return Advice("it can be learnt from: " + "; ".join(sentences), commands, warnings)


def _without_command(
    path: str | None, columns: Sequence[ColumnProfile], molecules: MoleculeProfile, labels: Sequence[ColumnProfile]
) -> str:
    if not molecules.readable:
        return "no row has a molecule that can be read, so nothing can be learnt or predicted"
    if labels:
        what = "stdin" if path == STDIN else "the command line"
        return f"labels of {what} cannot be learnt; write them into a file"
    broken = [column.name for column in columns if column.problem and not _is_split(column)]
    if broken:
        return f"{listed(broken)} could be learnt once what is said about it below is mended"
    return "no column holds labels that could be learnt; predict and embed read its molecules"


def _said(options: Any) -> list[str]:
    """Write the options that the user gave."""
    said = []
    for one in declared(type(options)):
        value = getattr(options, one.name)
        if value is True:
            said.append(one.flag)
        elif value != one.default:
            said += [word for text in (value if one.several else (value,)) for word in (one.flag, str(text))]
    return said


def _split(molecules: MoleculeProfile) -> list[str]:
    found = molecules.scaffolds
    is_one = found is not None and found.molecules > 1 and found.largest_share > _ONE_SCAFFOLD
    return ["--split", "random"] if is_one else []


def _split_by(column: str) -> list[str]:
    return ["--split", f"column:{column}" if column in RULES else column]


def _standardise(molecules: MoleculeProfile) -> list[str]:
    many = molecules.several_parts > _MANY_SALTS * molecules.readable
    return ["--standardise", "parent"] if many else []


def _task_of(columns: Sequence[ColumnProfile], stem: str) -> str | None:
    """Find the task of the registry whose labels these are; names such as "Class" are not enough."""
    names = {normalised(column.name) for column in columns}
    for task in registered_tasks().values():
        is_called_so = stem.casefold().startswith(task.name)
        if not task.columns and is_called_so:
            return task.name
        surely = is_called_so or len(task.columns) > 2
        if task.columns and surely and names.issuperset(map(normalised, task.targets)):
            return task.name
    return None


def _is_split(column: ColumnProfile) -> bool:
    return column.kind in ("text", "class") and 1 < column.distinct == len(
        [text for text in column.classes or column.examples if text.casefold() in PART_NAMES]
    )


def _stem(path: str) -> str:
    name = Path(path).name
    return name.partition(".")[0] or "mine"


def _class_sizes(column: ColumnProfile) -> list[int]:
    """Count the cells of each class, however it is written."""
    counts = Counter[Any]()
    for text, cells in column.classes.items():
        counts[text in column.positive if column.positive else _value(text)] += cells
    return list(counts.values())


def _value(text: str) -> Any:
    """Take 1 and 1.0 for the same, and capital and small letters."""
    try:
        return float(text)
    except ValueError:
        return text.casefold()


def _warnings(columns: Sequence[ColumnProfile], molecules: MoleculeProfile) -> list[str]:
    warnings = []
    if molecules.different < _FEW:
        warnings.append(f"only {molecules.different:,} different molecules: what is learnt from so few says little")
    for column in columns:
        warnings += filter(None, (column.problem, column.remark))
        rare = min(_class_sizes(column), default=_RARE)
        if column.is_label and rare < _RARE:
            warnings.append(f"column {quoted(column.name)} has only {rare:,} rows of one class")
        if column.numbers is not None and column.numbers.span and column.is_label:
            warnings.append(f"column {quoted(column.name)} has numbers {column.numbers.span}")
        if column.numbers is not None and column.numbers.outliers and column.is_label:
            far = ", ".join(f"{value:g} in line {line}" for value, line in column.numbers.far_out)
            warnings.append(
                f"column {quoted(column.name)} has {column.numbers.outliers:,} numbers far from the others ({far}): "
                "is a unit or a decimal point wrong, or is the logarithm to be learnt (--transform)?"
            )
        count = molecules.contradictions.get(column.name, 0)
        if count and column.is_label:
            what = "both classes" if column.kind == "class" else "different values"
            have = "molecule has" if count == 1 else "molecules have"
            warnings.append(f"{count:,} {have} {what} in column {quoted(column.name)}, in different rows")
    if molecules.several_parts > _MANY_SALTS * molecules.readable:
        warnings.append(
            f"{molecules.several_parts:,} rows have salts, solvates or mixtures; --standardise parent keeps the drug"
        )
    if _split(molecules):
        warnings.append("nearly all molecules have one scaffold, which a scaffold split cannot divide")
    warnings += filter(None, map(_other_split, columns))
    if molecules.unusual_elements:
        warnings.append(f"elements that encoders have seldom seen: {', '.join(molecules.unusual_elements)}")
    return warnings


def _other_split(column: ColumnProfile) -> str:
    """Say how a column could divide the table, judging by its name and how many different cells it has."""
    words = set(normalised(column.name).split("_"))
    if column.kind in ("text", "number") and "date" in words:
        return f"--split {shlex.quote(f'date:{column.name}')} would judge by the newest molecules"
    if words & _GROUPS and column.kind == "text" and 3 <= column.distinct <= column.known / 2:
        return f"--split {shlex.quote(f'group:{column.name}')} would judge by molecules of other groups"
    return ""
