"""What may be searched: the hyper-parameters of a head, or of a training, and their range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

Parameters = Mapping[str, float]
"""Values of hyper-parameters, by their names."""

USUAL: Final[Parameters] = MappingProxyType({})
"""None of them: a head takes what it has, or chooses for itself."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range.

    Examples
    --------
    >>> print(Span(0.01, 0.2, log=True), Span(7, 127, log=True, whole=True), sep="; ")
    0.01 to 0.2, logarithmic; 7 to 127, logarithmic, whole
    """

    low: float
    high: float
    log: bool = False
    """Whether factors count, and not differences."""
    whole: bool = False
    """Whether only whole numbers do."""

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{', logarithmic' * self.log}{', whole' * self.whole}"


def within(prefix: str, parameters: Parameters) -> dict[str, float]:
    """Give the parameters of a part, whose names begin with its name and a dot.

    Examples
    --------
    >>> within("kernel", {"kernel.gamma": 1.0, "linear.penalty": 3.0})
    {'gamma': 1.0}
    """
    start = f"{prefix}."
    return {name.removeprefix(start): value for name, value in parameters.items() if name.startswith(start)}
