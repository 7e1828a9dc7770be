"""What a tokenizer makes of a file: how long its molecules are, what is unknown, what is no SMILES."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.cells import EMPTY, split_cell
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.tokenizer import ExLMTokenizer


@dataclass
class TokenCounts:
    """Counts over the rows of a file."""

    rows: int = 0
    molecules: int = 0
    """Rows that could be tokenized."""
    empty: int = 0
    """Rows without a SMILES."""
    cut: int = 0
    """Rows with more text after the SMILES, such as a name, which is left aside."""
    tokens: int = 0
    """Tokens of all molecules, without the special ones."""
    longest: int = 0
    """Tokens of the longest molecule, without the special ones."""
    longest_line: int | None = None
    unknown: Counter[str] = field(default_factory=Counter)
    """Texts that are ``<unk>``, and how often."""
    failed: int = 0
    """Rows that are no SMILES, or none that the scheme can write."""
    errors: list[tuple[int, str]] = field(default_factory=list)
    """The first failed rows: line and reason."""


def count_tokens(rows: Iterable[tuple[int, str | None]], tokenizer: ExLMTokenizer, max_errors: int = 20) -> TokenCounts:
    """Tokenize rows and count.

    Parameters
    ----------
    rows
        Line and text of each row, read as a stream.
    tokenizer
        The tokenizer.
    max_errors
        How many errors to keep; the others are only counted.

    Examples
    --------
    >>> counts = count_tokens([(1, "CCO"), (2, "C?"), (3, "")], ExLMTokenizer())
    >>> counts.molecules, counts.tokens, counts.empty
    (1, 3, 1)
    >>> counts.errors
    [(2, "Not SMILES at position 1: unknown character '?' in 'C?'.")]
    """
    counts = TokenCounts()
    vocab = tokenizer.vocab
    for line, text in rows:
        counts.rows += 1
        smiles, note, reason = split_cell(text)
        if reason == EMPTY:
            counts.empty += 1
            continue
        counts.cut += note is not None
        try:
            if reason is not None:
                raise MoleculeError(reason)
            tokens = tokenizer.tokenize(smiles)
        except ExLMError as error:
            counts.failed += 1
            if len(counts.errors) < max_errors:
                counts.errors.append((line, str(error)))
            continue
        counts.molecules += 1
        counts.tokens += len(tokens)
        if len(tokens) > counts.longest:
            counts.longest, counts.longest_line = len(tokens), line
        counts.unknown.update(token for token in tokens if token not in vocab)
    return counts
