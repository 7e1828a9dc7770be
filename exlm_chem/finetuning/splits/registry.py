"""The rules of splitting by their names, as ``--split`` takes them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.splits.clusters import butina_split
from exlm_chem.finetuning.splits.columns import column_split, date_split, group_split
from exlm_chem.finetuning.splits.index_file import SUFFIXES, file_splits
from exlm_chem.finetuning.splits.scaffold import scaffold_split
from exlm_chem.finetuning.splits.shuffled import random_split, stratified_split
from exlm_chem.finetuning.splits.split import Split, Splittable


@dataclass(frozen=True)
class Rule:
    """A rule of splitting.

    Attributes
    ----------
    split : callable
        Makes a `Split` of molecules, the argument of the rule, and a seed.
    argument : str
        What stands behind the colon: "COLUMN", "FILE", or nothing.
    """

    split: Callable[[Splittable, str, int], Split]
    argument: str = ""


class Spec(NamedTuple):
    """A rule with its argument, as it was asked for."""

    rule: str
    argument: str

    @property
    def column(self) -> str | None:
        """The column of the table that has to be read for it."""
        return self.argument if RULES[self.rule].argument == "COLUMN" else None


def _only_fold(data: Splittable, path: str) -> Split:
    splits = file_splits(data, path)
    if len(splits) > 1:
        raise ExLMError(f"{path} holds {len(splits)} folds, and one split is asked for; leave one in the file")
    return splits[0]


RULES: Final[dict[str, Rule]] = {
    "scaffold": Rule(lambda data, _, __: scaffold_split(data.smiles)),
    "random": Rule(lambda data, _, seed: random_split(data.smiles, seed)),
    "stratified": Rule(lambda data, _, seed: stratified_split(data, seed)),
    "butina": Rule(lambda data, _, __: butina_split(data.smiles)),
    "group": Rule(group_split, "COLUMN"),
    "date": Rule(lambda data, column, _: date_split(data, column), "COLUMN"),
    "column": Rule(lambda data, column, _: column_split(data, column), "COLUMN"),
    "file": Rule(lambda data, path, _: _only_fold(data, path), "FILE"),
}


def parse_split(spec: str) -> Spec:
    """Understand what ``--split`` says.

    A text that is no rule is a file of indices if there is one or it is called so, and a column of the table if not;
    ``column:NAME`` and ``file:PATH`` say so.

    Raises
    ------
    ExLMError
        If a rule lacks its argument, or has one that it does not know.

    Examples
    --------
    >>> parse_split("scaffold"), parse_split("group:batch"), parse_split("part"), parse_split("splits.json")
    (Spec(rule='scaffold', argument=''), Spec(rule='group', argument='batch'), \
Spec(rule='column', argument='part'), Spec(rule='file', argument='splits.json'))
    """
    name, colon, argument = spec.partition(":")
    if name in RULES and (colon or not RULES[name].argument):
        wanted = RULES[name].argument
        if bool(wanted) != bool(argument.strip()):
            raise ExLMError(
                f"--split {name} is written {name}:{wanted}" if wanted else f"--split {name} takes no column"
            )
        return Spec(name, argument)
    if not spec.strip():
        raise ExLMError(f"--split is empty; write {', '.join(name for name in RULES if not RULES[name].argument)}, ...")
    if spec.lower().endswith(SUFFIXES) or os.path.isfile(spec):  # noqa: PTH113  (takes any text)
        return Spec("file", spec)
    return Spec("column", spec)


def make_split(spec: str, data: Splittable, seed: int = 0) -> Split:
    """Split molecules into what is learnt from, what decides, and what judges.

    Parameters
    ----------
    spec : str
        See `parse_split`.
    data : Splittable
        The molecules; its cells are those of the column `Spec.column`, if the rule names one.
    seed : int
        For rules that draw; the others do not know it.

    Raises
    ------
    ExLMError
        If the rule cannot be followed, or leaves nothing to learn from; the message says what can be done.

    Examples
    --------
    >>> make_split("scaffold", Splittable(["CC1CC1", "C1CC1", "CC", "c1ccccc1"])).test
    [2]
    """
    wanted = parse_split(spec)
    split = RULES[wanted.rule].split(data, wanted.argument, seed)
    if not split.train:
        why = ": too many share one scaffold, as all without rings do" if wanted.rule == "scaffold" else ""
        others = "" if wanted.rule == "random" else "; use --split random"
        raise ExLMError(f"the {split.name} split of {len(data)} molecules leaves none to learn from{why}{others}")
    return split
