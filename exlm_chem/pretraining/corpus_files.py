"""The files that a corpus is made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from exlm_chem.errors import ExLMError
from exlm_chem.storage import reason_of, sha256
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.terms import Reads

if TYPE_CHECKING:
    from exlm_chem.tables.reader import SmilesRow


@dataclass(frozen=True)
class CorpusFiles:
    """Files of molecules or of text: to learn from, and perhaps others for validation.

    Attributes
    ----------
    training : sequence of paths
        SMILES files or tables, anything that `iter_smiles` reads; of text, what `iter_texts` reads.
    validation : sequence of paths
        Files whose molecules are the validation part; without them it is a share of the others.
    reading : ReadOptions
        How the files are read, where that shall not be found out from them.
    notes : list of str
        What was guessed about the files, as far as they have been read.

    Examples
    --------
    >>> CorpusFiles.of(["zinc.smi"])
    CorpusFiles(training=['zinc.smi'], validation=(), reading=ReadOptions(...))
    """

    training: Sequence[str | Path]
    validation: Sequence[str | Path] = ()
    reading: ReadOptions = field(default_factory=ReadOptions)
    notes: list[str] = field(default_factory=list, compare=False, repr=False)

    @classmethod
    def of(cls, files: Self | Sequence[str | Path]) -> CorpusFiles:
        """Take a plain list of files for files to learn from."""
        return files if isinstance(files, CorpusFiles) else cls(files)

    def __str__(self) -> str:
        return ", ".join(map(str, self.training))

    def rows(self, reads: Reads = "molecule") -> Iterator[tuple[SmilesRow, bool]]:
        """Read all rows, each a molecule or a whole line of text; each comes with whether it is for validation."""
        from exlm_chem.tables.reader import iter_smiles, iter_texts  # not for --help

        read = iter_smiles if reads == "molecule" else iter_texts
        for files, for_validation in ((self.training, False), (self.validation, True)):
            for row in read(files, self.reading, self.notes):
                yield row, for_validation

    def key(self, settings: list[object]) -> str:
        """Hash of the content of the files, not of their names, and of some settings.

        Raises
        ------
        ExLMError
            When a file cannot be read.
        """
        digest = hashlib.sha256(json.dumps(settings).encode())
        for file in map(Path, (*self.training, *self.validation)):
            if file.exists() and not file.is_file() and not file.is_dir():
                raise ExLMError(f"{file} is no ordinary file, and a corpus is read twice; write it into a file first")
            try:
                digest.update(bytes.fromhex(sha256(file)))
            except OSError as error:
                raise ExLMError(f"{file} cannot be read: {reason_of(error)}.") from None
        return digest.hexdigest()
