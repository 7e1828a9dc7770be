"""What is wrong with a molecule block that RDKit cannot read, with the line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from exlm_chem.errors import quoted

_COUNTS: Final = re.compile(r"[ \d]{3}[ \d]{3}.*")
_ATOM: Final = re.compile(r"\s*[-+.\deE]+\s*[-+.\deE]+\s*[-+.\deE]+\s+\S+.*")
_BOND: Final = re.compile(r"[ \d]{3}[ \d]{3}[ \d]{0,3}.*")


def fault_of_block(block: Sequence[str]) -> tuple[int, str] | None:
    """Find the first line of a molecule block that is not as it should be.

    Parameters
    ----------
    block : sequence of str
        Its lines, from the title to ``M  END``.

    Returns
    -------
    (int, str) or None
        The line's index and what is wrong with it; None if nothing can be seen.

    Examples
    --------
    >>> fault_of_block(["title", "", "", "rubbish"])
    (3, "'rubbish' is no counts line")
    """
    last = len(block) - 1
    if len(block) < 4 or not any(map(str.strip, block[3:])):
        return max(last, 0), "it has no structure: title, program, comment and counts line are expected"
    counts = block[3]
    if not counts.rstrip().endswith("V3000") and not _COUNTS.fullmatch(counts):
        return 3, f"{quoted(counts.strip())} is no counts line"
    if not any(line.startswith("M  END") for line in block):
        return last, "'M  END' is missing at its end"
    if not counts.rstrip().endswith("V3000"):
        fault = _fault_of_lines(block, int(counts[:3].strip() or 0), int(counts[3:6].strip() or 0))
        if fault is not None:
            return fault
    blank = next((index for index, line in enumerate(block[4:], 4) if not line.strip()), None)
    return None if blank is None else (blank, "a blank line inside of the block")


def _fault_of_lines(block: Sequence[str], atoms: int, bonds: int) -> tuple[int, str] | None:
    for index, line in enumerate(block[4 : 4 + atoms + bonds], 4):
        what, shape, count = ("atom", _ATOM, atoms) if index < 4 + atoms else ("bond", _BOND, bonds)
        number = index - 3 if what == "atom" else index - 3 - atoms
        if not line.strip() or not shape.fullmatch(line):
            return index, f"{what} {number} of {count} is expected, not {quoted(line.strip())}"
    return None
