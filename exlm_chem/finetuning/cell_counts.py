"""How often each text stands in a column, and how a message tells of them: counted and listed, all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NoReturn

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.tables.encodings import encoding_hint

_LISTED: Final = 5


class CellCounts:
    """The different texts of a column.

    Parameters
    ----------
    file, column : str
        Where they stand, for messages.
    texts : sequence of str
        The cells.
    lines : sequence of int
        The line of the file in which each of them stands.

    Examples
    --------
    >>> cells = CellCounts("assay.csv", "IC50", [">30", "1.2", ">30"], [2, 3, 4])
    >>> cells.listed([">30"])
    "'>30' (2 cells)"
    >>> cells.refuse([">30"], "labels", "no number", "correct it")
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: assay.csv: column 'IC50': 2 of 3 labels are no number: '>30' (2 cells), ...
    """

    def __init__(self, file: str, column: str, texts: Sequence[str], lines: Sequence[int]) -> None:
        self.where = f"{file}: column {quoted(column)}"
        self.counts = Counter(texts)
        self._first_line = dict(zip(reversed(texts), reversed(lines), strict=True))

    def listed(self, texts: Collection[str]) -> str:
        """List texts with their numbers of cells, the most frequent first."""
        ordered = sorted(texts, key=lambda text: (-self.counts[text], self._first_line[text]))
        more = len(ordered) - _LISTED
        shown = ", ".join(f"{quoted(text)} ({_cells(self.counts[text])})" for text in ordered[:_LISTED])
        return shown + (f" and {more:,} more" if more > 0 else "")

    def refuse(self, texts: Collection[str], noun: str, fault: str, remedy: str) -> NoReturn:
        """Raise an error that counts and lists the cells with these texts."""
        bad, total = (sum(self.counts[text] for text in some) for some in (texts, self.counts))
        raise ExLMError(
            f"{self.where}: {bad:,} of {total:,} {noun} {'is' if bad == 1 else 'are'} {fault}: {self.listed(texts)}, "
            f"the first in line {min(self._first_line[text] for text in texts)}; {remedy}{encoding_hint(texts)}"
        )


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count:,} cells"
