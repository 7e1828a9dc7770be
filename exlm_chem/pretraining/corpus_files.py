"""The files that a corpus is made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from exlm_chem.errors import ExLMError
from exlm_chem.storage import reason_of, sha256

if TYPE_CHECKING:
    from exlm_chem.tables.reader import SmilesRow


@dataclass(frozen=True)
class CorpusFiles:
    """Files of molecules: to learn from, and perhaps others for validation.

    Attributes
    ----------
    training : sequence of paths
        SMILES files or tables, anything that `iter_smiles` reads.
    validation : sequence of paths
        Files whose molecules are the validation part; without them it is a share of the others.
    smiles_column : str, optional
        Name of the SMILES column in tables; found by its name otherwise.

    Examples
    --------
    >>> CorpusFiles.of(["zinc.smi"])
    CorpusFiles(training=['zinc.smi'], validation=(), smiles_column=None)
    """

    training: Sequence[str | Path]
    validation: Sequence[str | Path] = ()
    smiles_column: str | None = None

    @classmethod
    def of(cls, files: Self | Sequence[str | Path]) -> CorpusFiles:
        """Take a plain list of files for files to learn from."""
        return files if isinstance(files, CorpusFiles) else cls(files)

    def __str__(self) -> str:
        return ", ".join(map(str, self.training))

    def rows(self) -> Iterator[tuple[SmilesRow, bool]]:
        """Read all rows; each comes with whether it is for validation."""
        from exlm_chem.tables.reader import iter_smiles  # not for --help

        for files, for_validation in ((self.training, False), (self.validation, True)):
            for row in iter_smiles(files, self.smiles_column):
                yield row, for_validation

    def key(self, settings: list[object]) -> str:
        """Hash of the content of the files, not of their names, and of some settings.

        Raises
        ------
        ExLMError
            When a file cannot be read.
        """
        digest = hashlib.sha256(json.dumps(settings).encode())
        for file in (*self.training, *self.validation):
            try:
                digest.update(bytes.fromhex(sha256(file)))
            except OSError as error:
                raise ExLMError(f"{file} cannot be read: {reason_of(error)}.") from None
        return digest.hexdigest()
