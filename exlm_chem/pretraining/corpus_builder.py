"""From files of SMILES or text to a corpus: read once, checked on all processors, kept by the hash of its content."""

from __future__ import annotations

import csv
import hashlib
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exlm_chem.base_tokenizer import Tokenizer
from exlm_chem.errors import ExLMError
from exlm_chem.pretraining.corpus import SUMMARY, CorpusSummary
from exlm_chem.pretraining.corpus_files import CorpusFiles
from exlm_chem.pretraining.processes import process_pool
from exlm_chem.smiles.molecule import read_molecule
from exlm_chem.storage import reason_of, write_directory, write_json
from exlm_chem.tables.encodings import WRITTEN
from exlm_chem.tables.reader import SmilesRow
from exlm_chem.terms import Reads

MOST_TOKENS = 1 << 16  # different ones, as ids are stored in 16 bits
LINES = 4096  # that one process checks at a time
REJECTED = "rejected.csv"

Rows = list[SmilesRow]


def default_cache() -> Path:
    """Where prepared corpora are kept: ``$EXLM_CHEM_CACHE``, or a folder in the user's cache directory."""
    if named := os.environ.get("EXLM_CHEM_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "exlm-chem"


def build_corpus(
    files: CorpusFiles | Sequence[str | Path],
    tokenizer: Tokenizer,
    *,
    check: bool = True,
    deduplicate: bool = False,
    most_tokens: int | None = None,
    cache: str | Path | None = None,
    workers: int | None = None,
    report: Callable[[int], None] = lambda _: None,
) -> Path:
    """Turn files into a corpus, or find the one that was made from the same content.

    Memory does not grow with the files, except by 24 bytes a molecule while repetitions are looked for.

    Parameters
    ----------
    files : CorpusFiles or sequence of paths
    tokenizer : Tokenizer
        Its ids are stored.
    check : bool
        Whether RDKit must accept a molecule, of which *the* text is learnt (see `exlm_chem.smiles.canonical`);
        otherwise every text that consists of SMILES tokens is taken as it is, which is several times as fast.
    deduplicate : bool
        Whether a text that came before is left aside.
    most_tokens : int, optional
        Longer lines are cut into pieces of so many tokens: for text, not for molecules.
    cache : path, optional
        The folder of all corpora; see `default_cache`.
    workers : int, optional
        Processes; as many as there are processors by default.
    report : callable, optional
        Called with the number of lines read so far.

    Returns
    -------
    Path
        The corpus, for `Corpus`.

    Raises
    ------
    ExLMError
        When a file cannot be read or holds no molecule.

    Examples
    --------
    >>> import tempfile
    >>> from exlm_chem.data import data_path
    >>> from exlm_chem.pretraining.corpus import Corpus
    >>> from exlm_chem.tokenizer import ExLMTokenizer
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     corpus = Corpus(build_corpus([data_path("examples.csv")], ExLMTokenizer(), cache=folder))
    ...     len(corpus), corpus.summary.rejected
    (24, 5)
    """
    files = CorpusFiles.of(files)
    if tokenizer.vocab_size > MOST_TOKENS:
        raise ExLMError(
            f"the tokenizer has {tokenizer.vocab_size:,} tokens, and a corpus keeps at most {MOST_TOKENS:,} apart; "
            "use a smaller one."
        )
    settings = [4, tokenizer.fingerprint, asdict(files.reading), len(files.validation), check, deduplicate]
    settings += [most_tokens] * (most_tokens is not None)
    key = files.key(settings)
    directory = Path(cache or default_cache()) / "corpora" / key[:20]
    if (directory / SUMMARY).exists():
        return directory
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(directory.parent, os.W_OK)
        why = "write-protected"
    except OSError as error:
        writable, why = False, reason_of(error)
    if not writable:
        raise ExLMError(
            f"prepared corpora cannot be kept in {directory.parent} ({why}); name another folder by --cache "
            "or EXLM_CHEM_CACHE."
        )
    with write_directory(directory, complete=SUMMARY) as temporary:
        checker = _Checker(tokenizer, check, most_tokens)
        counts = _write(_batches(files, tokenizer.reads), temporary, checker, workers, report)
        if not counts["molecules"]:
            rejected = counts["rejected"]
            first = "; the first: " + _first_reason(temporary / REJECTED) if rejected else ""
            raise ExLMError(f"{files}: there is no {tokenizer.reads} to train on ({rejected} lines rejected{first}).")
        duplicates = _mark_duplicates(temporary) if deduplicate else 0
        names = [str(file) for file in files.training]
        summary = CorpusSummary(key=key, files=names, duplicates=duplicates, reading=files.notes, **counts)
        write_json(temporary / SUMMARY, asdict(summary))
    return directory


@dataclass(frozen=True)
class _Checked:
    """What became of some lines."""

    tokens: NDArray[np.uint16]
    lengths: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    rejected: list[tuple[str, int, str, str]]


@dataclass(frozen=True)
class _Checker:
    """From lines to tokens; goes to the worker processes."""

    tokenizer: Tokenizer
    check: bool
    most_tokens: int | None = None

    def __call__(self, lines: Rows, for_validation: bool) -> _Checked:
        tokens: list[int] = []
        lengths, hashes, rejected = [], [], []
        for path, line, smiles, error in lines:
            text, ids, reason = (smiles, [], error) if error else self._encode(smiles)
            if reason:
                rejected.append((path, line, smiles[:200], reason))
                continue
            for number, piece in enumerate(self._pieces(ids)):
                tokens.extend(piece)
                lengths.append(len(piece))
                # the pieces of a line differ in the last bits: together they are learnt from, or kept for validation
                hashes.append(0 if for_validation else text_hash(text) ^ number)
        return _Checked(np.array(tokens, np.uint16), np.array(lengths, np.int64), np.array(hashes, np.uint64), rejected)

    def _encode(self, smiles: str) -> tuple[str, list[int], str]:
        """Give the text to learn from, its ids, and why there is none."""
        if (
            self.check and self.tokenizer.reads == "molecule"
        ):  # what is learnt is the text that predictions will be made from
            molecule = read_molecule(smiles)
            if molecule.error is not None:
                return smiles, [], molecule.error
            smiles = molecule.smiles
        try:
            ids = self.tokenizer.encode(smiles)
        except ExLMError as error:  # no SMILES, or nothing that this tokenizer has words for
            return smiles, [], str(error)
        reason = "no SMILES in this line" if self.tokenizer.reads == "molecule" else "no token in this line"
        return smiles, ids, "" if len(ids) > 2 else reason

    def _pieces(self, ids: list[int]) -> list[list[int]]:
        """Cut a line that is too long, each piece with the tokens for beginning and end."""
        if self.most_tokens is None or len(ids) <= self.most_tokens:
            return [ids]
        first, *inner, last = ids
        room = self.most_tokens - 2
        return [[first, *inner[start : start + room], last] for start in range(0, len(inner), room)]


def text_hash(smiles: str) -> int:
    """Hash of a molecule's text, 64 bits and never 0."""
    return int.from_bytes(hashlib.blake2b(smiles.encode(), digest_size=8).digest(), "little") or 1


def _batches(files: CorpusFiles, reads: Reads) -> Iterator[tuple[Rows, bool]]:
    for for_validation, rows in itertools.groupby(files.rows(reads), key=lambda pair: pair[1]):
        while batch := [row for row, _ in itertools.islice(rows, LINES)]:
            yield batch, for_validation


def _write(
    batches: Iterator[tuple[Rows, bool]],
    directory: Path,
    checker: _Checker,
    workers: int | None,
    report: Callable[[int], None],
) -> dict[str, int]:
    molecules = total = rejected = 0
    with (
        (directory / "tokens.bin").open("wb") as tokens,
        (directory / "offsets.bin").open("wb") as offsets,
        (directory / "hashes.bin").open("wb") as hashes,
        (directory / REJECTED).open("w", newline="", encoding="utf-8", errors=WRITTEN) as rejections,
    ):
        table = csv.writer(rejections)
        table.writerow(["file", "line", "smiles" if checker.tokenizer.reads == "molecule" else "text", "reason"])
        np.zeros(1, np.int64).tofile(offsets)
        for part in _checked(batches, checker, workers):
            part.tokens.tofile(tokens)
            (total + np.cumsum(part.lengths)).tofile(offsets)
            part.hashes.tofile(hashes)
            table.writerows(part.rejected)
            molecules += len(part.lengths)
            total += len(part.tokens)
            rejected += len(part.rejected)
            report(molecules + rejected)
    return {"molecules": molecules, "tokens": total, "rejected": rejected}


def _checked(batches: Iterator[tuple[Rows, bool]], checker: _Checker, workers: int | None) -> Iterator[_Checked]:
    """Check batches in order, on several processes if there is more than one batch."""
    first = list(itertools.islice(batches, 2))
    workers = workers or os.cpu_count() or 1
    if len(first) < 2 or workers == 1:
        yield from (checker(*batch) for batch in itertools.chain(first, batches))
        return
    with process_pool(workers) as pool:
        yield from _in_order(pool, checker, itertools.chain(first, batches), 4 * workers)


def _in_order(
    pool: ProcessPoolExecutor, checker: _Checker, batches: Iterable[tuple[Rows, bool]], ahead: int
) -> Iterator[_Checked]:
    """Like ``pool.map``, which would read the whole file into its queue."""
    waiting: deque[Future[_Checked]] = deque()
    for batch in batches:
        waiting.append(pool.submit(checker, *batch))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _mark_duplicates(directory: Path) -> int:
    hashes = np.fromfile(directory / "hashes.bin", np.uint64)
    repeated = np.ones(len(hashes), dtype=bool)
    repeated[np.unique(hashes, return_index=True)[1]] = False
    repeated[hashes == 0] = False  # of validation files
    repeated.tofile(directory / "duplicates.bin")
    return int(repeated.sum())


def _first_reason(file: Path) -> str:
    with file.open(newline="", encoding="utf-8", errors="surrogateescape") as table:
        row = next(csv.DictReader(table))
    return f"line {row['line']} of {row['file']}, {row['reason']}"
