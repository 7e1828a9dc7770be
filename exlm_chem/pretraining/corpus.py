"""The corpus: SMILES files turned once into memory-mapped token ids, so that training never waits for text."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import shutil
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.files import iter_smiles
from exlm_chem.smiles.grammar import SmilesSyntaxError
from exlm_chem.tokenizer import ExLMTokenizer

CHUNK_TOKENS = 1 << 20


@dataclass(frozen=True)
class CorpusSummary:
    """What a corpus holds, kept beside it as ``corpus.json``.

    Attributes
    ----------
    key : str
        Hash of the files' content and of everything that decides about the tokens.
    files : list of str
        Where the molecules came from.
    molecules, tokens : int
        What is in the corpus, ``<s>`` and ``</s>`` counted as tokens.
    validation : int
        How many of the molecules are the validation part.
    rejected : int
        Lines left out; ``rejected.csv`` says which and why.
    """

    key: str
    files: list[str]
    molecules: int
    tokens: int
    validation: int
    rejected: int


class Corpus:
    """Token ids of many molecules, memory-mapped.

    Parameters
    ----------
    directory : path
        What `build_corpus` made.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = directory = Path(directory)
        self.summary = CorpusSummary(**json.loads((directory / "corpus.json").read_text(encoding="utf-8")))
        self.tokens: NDArray[np.uint16] = np.memmap(directory / "tokens.bin", np.uint16, mode="r")
        self.offsets: NDArray[np.int64] = np.load(directory / "offsets.npy", mmap_mode="r")
        validation: NDArray[np.bool_] = np.load(directory / "validation.npy", mmap_mode="r")
        self.train_rows: NDArray[np.int64] = np.flatnonzero(~validation)
        self.validation_rows: NDArray[np.int64] = np.flatnonzero(validation)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of every molecule."""
        lengths: NDArray[np.int64] = np.diff(self.offsets)
        return lengths

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> NDArray[np.uint16]:
        """Token ids of one molecule."""
        return self.tokens[self.offsets[row] : self.offsets[row + 1]]


def build_corpus(
    files: Sequence[str | Path],
    directory: str | Path,
    tokenizer: ExLMTokenizer,
    max_tokens: int,
    validation: float = 0.01,
    smiles_column: str | None = None,
    validation_files: Sequence[str | Path] = (),
) -> Corpus:
    """Turn SMILES files into a corpus directory, or reuse it if it was made from the same content.

    Parameters
    ----------
    files : sequence of paths
        Anything that `iter_smiles` reads.
    directory : path
        Where the corpus goes; replaced when it is another corpus.
    tokenizer : ExLMTokenizer
        Its ids are stored.
    max_tokens : int
        Longer molecules are left out and reported.
    validation : float
        Share of the molecules that is kept for validation. A molecule's text decides, so the parts do not change when
        the file grows or is shuffled.
    smiles_column : str, optional
        Name of the SMILES column in tables.
    validation_files : sequence of paths
        Files whose molecules are the validation part, instead of a share of `files`.

    Returns
    -------
    Corpus

    Raises
    ------
    ExLMError
        When no molecule is left for training.
    """
    directory = Path(directory)
    validation = 0.0 if validation_files else validation
    settings = [tokenizer.fingerprint, max_tokens, validation, smiles_column, len(validation_files)]
    key = _content_key([*files, *validation_files], settings)
    if (directory / "corpus.json").exists():
        existing = Corpus(directory)
        if existing.summary.key == key:
            return existing
    temporary = directory.with_name(directory.name + ".part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)

    lines = itertools.chain(
        ((*line, validation) for line in iter_smiles(files, smiles_column)),
        ((*line, 1.0) for line in iter_smiles(validation_files, smiles_column)),
    )
    molecules = _write_tokens(lines, temporary, tokenizer, max_tokens)
    summary = CorpusSummary(key=key, files=[str(file) for file in files], **molecules)
    if summary.molecules == summary.validation:
        names = ", ".join(str(file) for file in files)
        reasons = f"{summary.rejected} lines rejected, see {temporary / 'rejected.csv'}"
        raise ExLMError(f"{names}: no molecule is left to train on ({reasons}).")
    (temporary / "corpus.json").write_text(json.dumps(asdict(summary), indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    temporary.rename(directory)
    return Corpus(directory)


def _write_tokens(
    lines: Iterable[tuple[str, int, str, float]], directory: Path, tokenizer: ExLMTokenizer, max_tokens: int
) -> dict[str, int]:
    tokens, offsets, is_validation = array("H"), array("q", [0]), array("b")
    total = rejected = 0
    with (
        (directory / "tokens.bin").open("wb") as token_file,
        (directory / "rejected.csv").open("w", newline="", encoding="utf-8") as rejected_file,
    ):
        report = csv.writer(rejected_file)
        report.writerow(["file", "line", "smiles", "reason"])
        for path, line, smiles, validation in lines:
            try:
                ids = tokenizer.encode(smiles)
                reason = f"has {len(ids)} tokens, the model reads at most {max_tokens}" if len(ids) > max_tokens else ""
                reason = reason or ("no SMILES in this line" if len(ids) <= 2 else "")
            except SmilesSyntaxError as error:
                reason = str(error)
            if reason:
                rejected += 1
                report.writerow([path, line, smiles[:200], reason])
                continue
            tokens.extend(ids)
            total += len(ids)
            offsets.append(total)
            is_validation.append(zlib.crc32(smiles.encode()) < validation * 2**32)
            if len(tokens) > CHUNK_TOKENS:
                tokens.tofile(token_file)
                del tokens[:]
        tokens.tofile(token_file)
    np.save(directory / "offsets.npy", np.frombuffer(offsets, np.int64))
    np.save(directory / "validation.npy", np.frombuffer(is_validation, np.int8).astype(bool))
    return {"molecules": len(is_validation), "tokens": total, "validation": sum(is_validation), "rejected": rejected}


def _content_key(files: Sequence[str | Path], settings: list[object]) -> str:
    digest = hashlib.sha256(json.dumps(settings).encode())
    for file in files:
        try:
            with Path(file).open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
        except OSError as error:
            raise ExLMError(f"{file} cannot be read: {error.strerror}.") from None
    return digest.hexdigest()
