"""What is in one column of somebody's table, in memory that does not grow with the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Final, Literal

import numpy as np

from exlm_chem.data_sets.sampling import Sample
from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.cell_counts import CellCounts
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.labels import LabelColumn, read_labels
from exlm_chem.finetuning.numerals import read_numerals
from exlm_chem.finetuning.relations import remark, says_more
from exlm_chem.finetuning.spellings import is_unknown, tidy
from exlm_chem.predictors.transforms import span
from exlm_chem.tables.columns import mostly_molecules

ColumnKind = Literal["SMILES", "class", "number", "text", "molecules", "constant", "empty"]
"""What a column holds: the SMILES that are read, two classes, measurements, texts, other molecules, one text only."""

_FENCE: Final = 3.0  # interquartile ranges beyond the quartiles: what Tukey calls "far out"
_SHOWN: Final = 3


@dataclass(frozen=True)
class Numbers:
    """The numbers of a column.

    Attributes
    ----------
    minimum, lower_quartile, median, upper_quartile, maximum, mean, deviation : float
        The deviation is that of the sample.
    outliers : int
        Numbers that are more than three interquartile ranges away from the quartiles.
    far_out : list of tuple
        The most extreme of them: the number, and the line in which it first stands.
    limits : dict
        Texts such as ``>30``, beyond which the truth lies, with the number of cells.
    span : str
        What is said where they span orders of magnitude; see `exlm_chem.predictors.transforms.span`.
    """

    minimum: float
    lower_quartile: float
    median: float
    upper_quartile: float
    maximum: float
    mean: float
    deviation: float
    outliers: int = 0
    far_out: list[tuple[float, int]] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    span: str = ""


@dataclass(frozen=True)
class ColumnProfile:
    """What a column holds.

    Attributes
    ----------
    name : str
        Of the column.
    kind : str
        See `ColumnKind`.
    known, missing : int
        Cells that say something, and those that do not: empty ones, what means the same, such as ``NA``, and those
        of rows without a SMILES.
    distinct : int
        Different texts; an estimate if not all were kept.
    sampled : int
        One text of so many was kept: 1 for all.
    spelled_missing : dict
        What is written where nothing is known, with the number of cells.
    classes : dict
        Cells of each class, as it is written; empty for other kinds.
    positive : list of str
        What is class 1, where that is clear.
    numbers : Numbers or None
    problem : str
        Why it cannot be learnt as it is; empty if it can, or is no column of labels.
    remark : str
        What it means for labels that stand beside it; see `exlm_chem.finetuning.relations`.
    is_count : bool
        Whether it numbers the rows.
    examples : list of str
        Some of its texts.
    """

    name: str
    kind: ColumnKind
    known: int
    missing: int
    distinct: int
    sampled: int = 1
    spelled_missing: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    positive: list[str] = field(default_factory=list)
    numbers: Numbers | None = None
    problem: str = ""
    remark: str = ""
    is_count: bool = False
    examples: list[str] = field(default_factory=list)

    @property
    def is_label(self) -> bool:
        """Whether it can be learnt as it is."""
        return self.kind in ("class", "number") and not (self.problem or self.remark or self.is_count)


@dataclass
class _Text:
    """How often a text stands in a column, and in which line first."""

    cells: int = 0
    line: int = 0


class ColumnCollector:
    """Takes the cells of a column one after the other.

    Parameters
    ----------
    name : str
        Of the column.
    most : int
        Most different texts that are kept.

    Examples
    --------
    >>> column = ColumnCollector("outcome", 1000)
    >>> for line, text in enumerate(["active", "inactive", "n.d.", "active"], 2):
    ...     _ = column.add(text, line)
    >>> profile = column.profile("assay.csv")
    >>> profile.kind, profile.classes, profile.missing
    ('class', {'active': 2, 'inactive': 1}, 1)
    """

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self._empty, self._known = 0, 0
        self._unknown: dict[str, _Text] = {}
        self._texts = Sample[_Text](most, _Text)
        self._last: int | None = None
        self._is_count = True

    def add(self, cell: str | None, line: int) -> str:
        """Take a cell, with the line in which it stands; give what is read in it."""
        text = tidy(cell)
        if not text:
            self._empty += 1
            return text
        if is_unknown(text):
            seen: _Text | None = self._unknown.setdefault(text, _Text())
        else:
            self._known += 1
            seen = self._texts.get(text)
            self._watch(text)
        if seen is not None:
            seen.cells += 1
            seen.line = seen.line or line
        return text

    def profile(self, file: str, options: LabelOptions | None = None) -> ColumnProfile:
        """Say what the column holds, if it is read with these options; `file` is named in messages."""
        labels, problem = self._labels(file, options)
        named = {text: seen.cells for text, seen in self._texts.kept.items() if labels and text in labels.unknown}
        texts = {text: seen for text, seen in self._texts.kept.items() if text not in named}
        gaps = {text: seen.cells for text, seen in self._unknown.items() if labels is None or text in labels.unknown}
        dashes = {
            text: seen.cells for text, seen in self._unknown.items() if text not in gaps
        }  # the class beside a plus
        is_count, about = self._is_count and self._known > 1, self._remark(file)
        kind, positive = self._kind(labels), [] if labels is None else [t for t, one in labels.classes.items() if one]
        counts: dict[str, int] = {}
        if kind == "class":
            taken = labels.classes if labels is not None and labels.classes else texts
            counts = {text: (texts.get(text) or self._unknown[text]).cells for text in sorted(taken)}
        return ColumnProfile(
            name=self.name,
            kind=kind,
            known=self._known + sum(dashes.values()) - sum(named.values()),
            missing=self._empty + sum(gaps.values()) + sum(named.values()),
            distinct=self._texts.total + len(dashes),
            sampled=self._texts.every,
            spelled_missing={**gaps, **named},
            classes=counts,
            positive=positive or (["1"] if set(counts) == {"0", "1"} else []),
            numbers=_numbers(texts) if kind == "number" else None,
            problem=problem.removeprefix(f"{file}: ")
            if kind in ("class", "number") and not (is_count or about)
            else "",
            remark=about.removeprefix(f"{file}: "),
            is_count=kind == "number" and is_count,
            examples=list(texts)[:_SHOWN],
        )

    def _watch(self, text: str) -> None:
        """See whether the cells are whole numbers that become larger from row to row."""
        if not self._is_count:
            return
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
        self._is_count = number is not None and (self._last is None or number > self._last)
        self._last = number

    def _labels(self, file: str, options: LabelOptions | None) -> tuple[LabelColumn | None, str]:
        """Read the column as labels, or say why it is none that could be learnt."""
        if not self._texts.kept:
            return None, ""
        try:
            return read_labels(self.name, *self._cells(), file, options), ""
        except ExLMError as error:
            return None, str(error)

    def _cells(self) -> tuple[list[str], list[int]]:
        """Give the texts as often as they stand there, and for each the line where it first stands."""
        seen = [*self._texts.kept.items(), *self._unknown.items()]
        cells = list(chain.from_iterable(repeat(text, one.cells) for text, one in seen))
        return cells, list(chain.from_iterable(repeat(one.line, one.cells) for _, one in seen))

    def _remark(self, file: str) -> str:
        return remark(self.name, CellCounts(file, self.name, *self._cells())) if says_more(self.name) else ""

    def _kind(self, labels: LabelColumn | None) -> ColumnKind:
        texts = self._texts.kept
        if not texts:
            return "empty"
        if labels is not None and len(set(labels.values[~np.isnan(labels.values)])) > 1:
            return "class" if labels.kind == "classification" else "number"
        if labels is not None or len({text.casefold() for text in texts}) == 1:
            return "constant"
        numerals = read_numerals(texts)
        numbers = sum(texts[text].cells for text in (*numerals.read, *numerals.unclear, *numerals.extreme))
        if 2 * numbers > sum(one.cells for one in texts.values()):
            return "number"
        if mostly_molecules(list(texts)):
            return "molecules"
        return "class" if len({text.casefold() for text in texts}) == 2 < self._known else "text"


def _numbers(texts: Mapping[str, _Text]) -> Numbers | None:
    read = read_numerals(texts).read
    if not read:
        return None
    seen = [texts[text] for text in read]
    values = np.array([one.value for one in read.values()])
    cells, lines = np.array([one.cells for one in seen]), [one.line for one in seen]
    every = np.repeat(values, cells)
    low, median, high = (float(value) for value in np.quantile(every, [0.25, 0.5, 0.75]))
    room = _FENCE * (high - low)
    far = (values < low - room) | (values > high + room) if room > 0 else np.zeros(len(values), dtype=bool)
    order = sorted(np.flatnonzero(far), key=lambda index: -abs(values[index] - median))
    return Numbers(
        minimum=float(values.min()),
        lower_quartile=low,
        median=median,
        upper_quartile=high,
        maximum=float(values.max()),
        mean=float(every.mean()),
        deviation=float(every.std(ddof=1)) if len(every) > 1 else 0.0,
        outliers=int(cells[far].sum()),
        far_out=[(float(values[index]), lines[index]) for index in order[:_SHOWN]],
        limits={text: texts[text].cells for text, one in read.items() if one.bound},
        span=span(every),
    )
