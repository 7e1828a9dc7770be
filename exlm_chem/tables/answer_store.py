"""What is finished of a result, beside the file that it will be: a run that was ended goes on from there.

Every chunk of rows has a file in ``OUTPUT.part`` with all that was said about its molecules. A later run takes what is
there instead of computing it, and writes the whole result as one that was never ended would.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, astuple
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import zstandard

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.molecule import Molecule
from exlm_chem.storage import is_special, read_json, sha256, write_file, write_json
from exlm_chem.tables.answers import Answers, Reading
from exlm_chem.tables.streams import STDIN

if TYPE_CHECKING:
    from exlm_chem.tables.reader import MoleculeReader

_ABOUT: Final = "run.json"


class AnswerStore:
    """The finished chunks of one result.

    Parameters
    ----------
    output : str or None
        The file that the result will be.
    source : str or None
        The input.
    depends_on : dict
        All else that the answers depend on, as JSON can hold it.

    Raises
    ------
    ExLMError
        If there is no file to read or to write, or what lies there belongs to another run.

    Examples
    --------
    >>> AnswerStore(None, "in.csv", {})
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: --resume needs a file to read and a file to write; name the result with -o
    """

    def __init__(self, output: str | None, source: str | None, depends_on: dict[str, Any]) -> None:
        if output is None or source is None or STDIN in (output, source) or is_special(output) or is_special(source):
            raise ExLMError("--resume needs a file to read and a file to write; name the result with -o")
        self.folder = Path(f"{output}.part")
        about = json.loads(json.dumps({"input": sha256(source), **depends_on}, default=str))
        if (self.folder / _ABOUT).exists():
            kept = read_json(self.folder / _ABOUT, f"remove {self.folder} and start again")
            changed = [name for name in about if kept.get(name) != about[name]]
            if changed:
                raise ExLMError(
                    f"{self.folder} was begun with other {' and other '.join(changed)}; go on with what it was begun "
                    "with, or remove it to start again"
                )
            return
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise ExLMError(f"{self.folder} cannot be made: {error.strerror}; choose another output") from None
        write_json(self.folder / _ABOUT, about)

    @classmethod
    def of_run(cls, output: str | None, reader: MoleculeReader, options: Any, made_by: Any) -> Self:
        """Open that of a command.

        Parameters
        ----------
        output : str or None
            The file that the result will be.
        reader : MoleculeReader
            The input.
        options : dataclass
            Those of the command.
        made_by : any
            What else the answers come from, the models for instance, as JSON can hold it.
        """
        reading = [reader.columns, reader.smiles_index, reader.form]
        about = {"reading": reading, "options": asdict(options), "model or predictors": made_by}
        return cls(output, reader.path, about)

    def begin(self, number: int, begin: Callable[[], Callable[[], Answers]]) -> Callable[[], Answers]:
        """Begin to answer a chunk, or take what is there: see `exlm_chem.tables.results.Addition`."""
        path = self.folder / f"{number:08}.json.zst"
        return partial(_read, path) if path.exists() else partial(_write, path, begin())

    def remove(self) -> None:
        """Remove it all: the result is there."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _write(path: Path, finish: Callable[[], Answers]) -> Answers:
    answers = finish()
    content = {
        "values": base64.b64encode(np.ascontiguousarray(answers.values, "<f4").tobytes()).decode(),
        "shape": answers.values.shape,
        "readings": [[one.reader, one.standardise, list(map(astuple, one.molecules))] for one in answers.readings],
        "cells": answers.cells,
    }
    with write_file(path) as file:
        file.write(zstandard.compress(json.dumps(content).encode("ascii")))
    return answers


def _read(path: Path) -> Answers:
    try:
        content = json.loads(zstandard.decompress(path.read_bytes()))
        values = np.frombuffer(base64.b64decode(content["values"]), "<f4").reshape(content["shape"])
        readings = [
            Reading(reader, rule, [Molecule(*one) for one in molecules])
            for reader, rule, molecules in content["readings"]
        ]
        return Answers(values, readings, content["cells"])
    except (OSError, ValueError, KeyError, TypeError, zstandard.ZstdError):
        raise ExLMError(f"{path} is broken; remove {path.parent} and start again") from None
