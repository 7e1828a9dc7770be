"""What a user may say about proposals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.machine import checked_device
from exlm_chem.options import check_options, documented, option
from exlm_chem.terms import OnInvalid

_MOST_MASKS: Final = 20
_WHERE: Final = "What is masked"
_HOW: Final = "How it is filled"


def parse_atoms(text: str) -> tuple[int, ...]:
    """Read numbers of atoms with commas between them, or ranges.

    Examples
    --------
    >>> parse_atoms("5, 8-10")
    (5, 8, 9, 10)
    """
    atoms: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", part)
        if not found or (found[2] and not 0 <= int(found[2]) - int(found[1]) < 10_000):
            raise ExLMError(f"--mask-atoms takes numbers of atoms such as 5,6 or 5-8, not {quoted(text)}")
        atoms += range(int(found[1]), int(found[2] or found[1]) + 1)
    return tuple(dict.fromkeys(atoms))


def parse_span(text: str) -> tuple[int, ...]:
    """Read the least and the largest number of masks.

    Examples
    --------
    >>> parse_span("1-6"), parse_span("3")
    ((1, 6), (3, 3))
    """
    found = re.fullmatch(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?", text)
    if not found:
        raise ExLMError(f"--span takes a number of masks such as 3, or 1-6, not {quoted(text)}")
    return int(found[1]), int(found[2] or found[1])


@documented
@dataclass(frozen=True, kw_only=True)
class FillOptions:
    """What is masked, how it is filled, and which proposals are given."""

    number: int = option(10, "How many proposals for each molecule.", short="-n", least=1, most=10_000)
    mask_atoms: tuple[int, ...] = option(
        (),
        "Atoms of a molecule to mask, such as 5,6 or 5-8, numbered from 0 in the order of the text.",
        group=_WHERE,
        metavar="ATOMS",
        shown="the text has [MASK]",
        parse=parse_atoms,
    )
    smarts: str | None = option(
        None, "Mask all atoms of a molecule that match this SMARTS.", group=_WHERE, metavar="SMARTS"
    )
    span: tuple[int, ...] | None = option(
        None,
        "Put that many masks, such as 1-6, into the masked place.",
        note="All lengths are tried, and ordered by the log-likelihood of a mask.",
        group=_WHERE,
        metavar="N-M",
        shown="as many as there are",
        parse=parse_span,
    )
    valid_only: bool = option(False, "Only proposals that RDKit takes for molecules.", group=_HOW)
    skip_parent: bool = option(False, "Leave out the molecule whose atoms are masked.", group=_HOW)
    temperature: float | None = option(
        None,
        "Draw paths and tokens instead of taking the best; 1 as probable as the model says, less for less variety.",
        group=_HOW,
        shown="the best paths",
        above=0,
        most=100,
    )
    top_p: float | None = option(
        None,
        "Draw, but only from each state's most probable tokens that have this share together.",
        group=_HOW,
        above=0,
        most=1,
        shown="all tokens",
    )
    seed: int = option(0, "What is drawn.", group=_HOW, least=0)

    def __post_init__(self) -> None:
        check_options(self)
        if self.span is not None and not (len(self.span) == 2 and 1 <= self.span[0] <= self.span[1] <= _MOST_MASKS):
            raise ExLMError(f"--span takes from 1 to {_MOST_MASKS} masks, such as 1-6, not {self.span}")

    @property
    def drawn(self) -> bool:
        """Whether paths are drawn."""
        return self.temperature is not None or self.top_p is not None


@documented
@dataclass(frozen=True, kw_only=True)
class FillFileOptions(FillOptions):
    """How the molecules of a file are filled, and what becomes of those that cannot be."""

    report: str | None = option(
        None,
        "A page for the browser besides: every proposal drawn, with what is new in it marked.",
        metavar="FILE.html",
    )
    on_invalid: OnInvalid = option(
        "flag", "A row without a proposal: flag gives the reason, skip leaves it out, raise ends the run."
    )
    resume: bool = option(
        False, "Keep what is finished in OUTPUT.part, and go on from what an earlier run has left there."
    )
    device: str = option("auto", "cpu, cuda, mps, or auto for the best there is.")

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_device(self.device)
