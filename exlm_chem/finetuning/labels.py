"""One column of labels: all its spellings are looked at before any of them is believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.cell_counts import CellCounts
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.numerals import Numerals, read_numerals
from exlm_chem.finetuning.spellings import DASHES, is_unknown, tidy
from exlm_chem.finetuning.words import known_classes, named_classes, plain_word
from exlm_chem.predictors.transforms import direction, span, transformed
from exlm_chem.terms import Kind

_CLASSES: Final = frozenset([0.0, 1.0])
_CODES: Final = frozenset([-1.0, *(sign * float("9" * digits) for digits in range(1, 7) for sign in (1, -1))])
"""Numbers that stand for "not known" in tables that know only numbers."""


@dataclass(frozen=True)
class LabelColumn:
    """What a column of labels holds.

    Attributes
    ----------
    name : str
        Of the column.
    kind : {"classification", "regression"}
        Two classes, or measurements.
    values : float array of shape (rows,)
        0 and 1, or the numbers or what is learnt of them; NaN where unknown.
    classes : dict
        The class of each word; empty where the labels are numbers.
    unknown : list of str
        What stands for a label that is not known, without empty cells.
    decided : str
        What was decided about the column, for the user; empty if there was nothing to decide.
    bounds : int array of shape (rows,)
        1 where the value is a lower limit (``>30``), -1 where it is an upper one, 0 elsewhere.
    """

    name: str
    kind: Kind
    values: NDArray[np.float64]
    classes: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    decided: str = ""
    bounds: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))


def read_labels(
    name: str, texts: Sequence[str | None], lines: Sequence[int], file: str, options: LabelOptions | None = None
) -> LabelColumn:
    """Read a column of labels.

    Parameters
    ----------
    name : str
        Of the column.
    texts : sequence of str or None
        Its cells.
    lines : sequence of int
        The line of the file in which each of them stands.
    file : str
        The file, for messages.
    options : LabelOptions, optional

    Returns
    -------
    LabelColumn

    Raises
    ------
    ExLMError
        If it is not clear what the cells mean; the message counts and lists all of them, and says what to do.

    Examples
    --------
    >>> column = read_labels("outcome", ["Active", "Inactive", "n.d."], [2, 3, 4], "assay.csv")
    >>> column.values, column.decided
    (array([ 1.,  0., nan]), "'Active' = 1, 'Inactive' = 0; not known: 'n.d.' (1 cell)")
    """
    options = options or LabelOptions()
    transform = options.transform or "none"
    if transform != "none":
        options = replace(options, kind="regression")
    tidied = [tidy(text) for text in texts]
    unknown = _unknown(set(tidied), options)
    places = [index for index, text in enumerate(tidied) if text not in unknown]
    cells = CellCounts(file, name, [tidied[index] for index in places], [lines[index] for index in places])
    gaps = [index for index, text in enumerate(tidied) if text and text in unknown]
    empty = CellCounts(file, name, [tidied[index] for index in gaps], [lines[index] for index in gaps])
    not_known = f"not known: {empty.listed(empty.counts)}" if gaps else ""
    column = _Known(cells, not_known, options)
    kind, number_of, decided = column.read()
    values = np.array([number_of.get(text, np.nan) for text in tidied], dtype=np.float64)
    classes = column.classes or {}
    decided = "; ".join(filter(None, [decided, not_known]))
    bound_of = {} if classes else {text: one.bound for text, one in column.numerals.read.items()}
    bounds = np.array([bound_of.get(text, 0) for text in tidied], dtype=np.int8)
    if transform != "none":
        column.refuse_what_has_no_logarithm()
        decided = "; ".join(filter(None, [f"taken as {transform}", decided]))
        values, bounds = transformed(values, transform), bounds * np.int8(direction(transform))
    return LabelColumn(name, kind, values, classes, list(empty.counts), decided, bounds)


def check_use(options: LabelOptions, columns: Sequence[LabelColumn], file: str) -> None:
    """Refuse an option that fits no cell of any column: it is a slip, and what was meant is not known.

    Examples
    --------
    >>> options = LabelOptions(unknown=("-999",))
    >>> check_use(options, [read_labels("y", ["0", "1"], [2, 3], "a.csv", options)], "a.csv")
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: a.csv: no label is '-999', which --unknown names; leave it away, or correct it
    """
    unknown = {text for column in columns for text in column.unknown}
    positive = {text for column in columns for text, one in column.classes.items() if one == 1}
    for flag, named, found in (("--unknown", options.unknown, unknown), ("--positive", options.positive, positive)):
        for text in named:
            if not any(_same(text, other) for other in found):
                raise ExLMError(f"{file}: no label is {quoted(text)}, which {flag} names; leave it away, or correct it")


def _same(one: str, other: str) -> bool:
    numbers = [read_numerals([text]).read.get(text) for text in (tidy(one), tidy(other))]
    return plain_word(one) == plain_word(other) or (None not in numbers and numbers[0] == numbers[1])


def _unknown(spellings: set[str], options: LabelOptions) -> set[str]:
    """Find what stands for a label that is not known."""
    named = {tidy(text).casefold() for text in options.unknown}
    unknown = {text for text in spellings if text.casefold() in named or is_unknown(text)}
    numbers = {one.value for one in read_numerals(named).read.values()}
    read = read_numerals(spellings - unknown).read if numbers else {}
    unknown |= {text for text, one in read.items() if one.value in numbers and not one.qualifier}  # -999.0 is -999
    rest = spellings - unknown
    if options.kind != "regression" and ("+" in rest or rest in ({"1"}, {"1.0"})):
        unknown -= DASHES - named  # the other class, not a gap
    return unknown


class _Known:
    """The labels of a column that are known."""

    def __init__(self, cells: CellCounts, not_known: str, options: LabelOptions) -> None:
        self.cells, self.not_known, self.options = cells, not_known, options
        self.spellings = list(cells.counts)
        self.numerals: Numerals = read_numerals(self.spellings)
        self.classes = None if options.kind == "regression" else self._classes()

    def read(self) -> tuple[Kind, dict[str, float], str]:
        """Give the kind of the column, the number of every spelling, and what was decided."""
        if not self.spellings:
            raise ExLMError(f"{self.cells.where} has no label at all" + (self.not_known and f"; {self.not_known}"))
        if self.classes is not None:
            decided = ", ".join(f"{quoted(text)} = {one}" for text, one in self.classes.items())
            return "classification", {text: float(one) for text, one in self.classes.items()}, decided
        self._refuse_what_is_no_number()
        value_of = {text: one.value for text, one in self.numerals.read.items()}
        kind = self._kind_of_numbers(value_of)
        what = "0 and 1 are taken as classes" if kind == "classification" else "taken as measurements"
        if kind == "regression" and not self.options.kind:
            cells = [self.cells.counts[text] for text in value_of]
            what = f"{what} {span(np.repeat([*value_of.values()], cells))}".rstrip()
        notes = ["" if self.options.kind else what, self.numerals.note, *self._qualified()]
        return kind, value_of, "; ".join(filter(None, notes))

    def refuse_what_has_no_logarithm(self) -> None:
        """Refuse values of 0 and less, of which there is no logarithm."""
        if bad := [text for text, one in self.numerals.read.items() if one.value <= 0]:
            remedy = "correct them, name what means not known with --unknown, or leave --transform away"
            self.cells.refuse(bad, "labels", "not above 0, and have no logarithm", remedy)

    def _limits(self) -> list[str]:
        return [text for text, one in self.numerals.read.items() if one.bound]

    def _qualified(self) -> list[str]:
        """Say what is made of limits and of approximate values."""
        about = [text for text, one in self.numerals.read.items() if one.qualifier and not one.bound]
        said = {
            "limits, beyond which the truth lies": self._limits(),
            "approximate, taken as measured": about,
        }
        return [f"{what}: {self.cells.listed(texts)}" for what, texts in said.items() if texts]

    def _classes(self) -> dict[str, int] | None:
        """Give the class of every spelling, if they are words for two classes, or a user has named one of them."""
        read = {text: one.value for text, one in self.numerals.read.items() if not one.qualifier}
        all_numbers, values = len(read) == len(self.spellings), set(read.values())
        if all_numbers and len(values) != 2:
            return None
        if self.options.positive and (found := named_classes(self.spellings, self.options.positive)):
            return found
        if all_numbers:
            return {text: int(value == 1) for text, value in read.items()} if values == {-1.0, 1.0} else None
        return known_classes(self.spellings)

    def _refuse_what_is_no_number(self) -> None:
        numbers = {*self.numerals.read, *self.numerals.unclear, *self.numerals.extreme}
        words = [text for text in self.spellings if text not in numbers]
        if len(words) == len(self.spellings) and self.options.kind != "regression":
            self._refuse_words()
        if words and self.options.kind != "regression" and (classes := known_classes(words)):
            pair = " and ".join(quoted(text) for text in classes)
            remedy = "correct them, or name what means not known with --unknown"
            self.cells.refuse(set(self.spellings) - set(words), "labels", f"neither of {pair}", remedy)
        if words:
            remedy = "correct them, leave the cells empty, or name what means not known with --unknown"
            self.cells.refuse(words, "labels", "no plain number", remedy)
        limits = self._limits()
        if limits and len(limits) == len(self.spellings):
            self.cells.refuse(limits, "labels", "a limit", "nothing can be learnt without values; add measured ones")
        if self.numerals.unclear:
            remedy = "write all numbers with a decimal point and nothing between thousands"
            self.cells.refuse(self.numerals.unclear, "labels", "not clear, decimal or thousands", remedy)
        if self.numerals.extreme:
            remedy = "use another unit, or the logarithm"
            self.cells.refuse(self.numerals.extreme, "labels", "too large or too small", remedy)

    def _refuse_words(self) -> NoReturn:
        count = len({text.casefold() for text in self.spellings})
        if count == 2:
            self._ask_for_the_positive(str.casefold, "")
        listed = self.cells.listed(self.spellings)
        if count == 1:
            raise ExLMError(
                f"{self.cells.where} holds only one class, {listed}{self.not_known and f'; {self.not_known}'}; "
                "write the other class too where it was measured, such as 1 and 0"
            )
        raise ExLMError(
            f"{self.cells.where} holds {count} different words, {listed}; a predictor tells two classes apart: "
            "write two words or numbers, and name what means not known with --unknown"
        )

    def _kind_of_numbers(self, value_of: dict[str, float]) -> Kind:
        values, kind, limits = set(value_of.values()), self.options.kind, self._limits()
        if kind == "classification" and limits:
            self.cells.refuse(limits, "labels", "a limit and no class", "correct them, or leave --kind away")
        if kind != "regression" and (codes := self._codes(value_of)):
            otherwise = "" if kind else "; if it is a measurement, add --kind regression"
            raise ExLMError(
                f"{self.cells.where}: {self.cells.listed(codes)} may stand for a label that is not known; "
                f"if it does, add --unknown {codes[0]}{otherwise}"
            )
        if limits:
            return "regression"
        if kind is None and values <= _CLASSES:
            return "classification"
        whole_pair = len(values) == 2 and values != _CLASSES and all(value.is_integer() for value in values)
        if kind != "regression" and whole_pair:
            self._ask_for_the_positive(
                value_of.get, "" if kind else "; if they are measurements, add --kind regression"
            )
        if kind == "classification" and not values <= _CLASSES:
            wrong = [text for text, value in value_of.items() if value not in _CLASSES]
            self.cells.refuse(wrong, "labels", "no class", "classes are 0 and 1, or two words; correct the labels")
        return kind or "regression"

    def _codes(self, value_of: dict[str, float]) -> list[str]:
        """Find numbers that look like codes for "not known" among the others."""
        others = set(value_of.values()) - _CODES
        if others and others <= _CLASSES:
            return [text for text, value in value_of.items() if value in _CODES]
        if len(others) < 3:
            return []
        low, high = min(others), max(others)

        def is_code(text: str, value: float) -> bool:
            several = self.cells.counts[text] > 1
            if value == -1.0:
                return several and low >= 0
            return value < 2 * low - high if value < 0 else several and value > 2 * high - low

        return [text for text, value in value_of.items() if value in _CODES and is_code(text, value)]

    def _ask_for_the_positive(self, class_of: Callable[[str], object], otherwise: str) -> NoReturn:
        classes: dict[object, dict[str, str]] = {}
        for text in self.spellings:  # one class may be written in several ways, such as 1 and 1.0
            classes.setdefault(class_of(text), {}).setdefault(plain_word(text), text)
        one, other = (" ".join(f"--positive {quoted(text)}" for text in texts.values()) for texts in classes.values())
        raise ExLMError(
            f"{self.cells.where} holds {self.cells.listed(self.spellings)}: say which of them is class 1, "
            f"with {one} or {other}{otherwise}"
        )
