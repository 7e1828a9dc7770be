"""The table of a task, from the public address that DeepChem uses: checked, and written in one form for all tasks."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.predictors.registry import registered_task
from exlm_chem.predictors.task import PublicTable, Task
from exlm_chem.storage import read_json, reason_of, sha256, write_json
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.writers import open_writer

SOURCE_SUFFIX: Final = ".source.json"
"""Of the file beside a fetched table that says where it came from."""

_TIMEOUT: Final = 60.0  # seconds without a byte
_LARGEST: Final = 1 << 30  # bytes; the largest of MoleculeNet's tables has five million


@dataclass(frozen=True)
class Fetched:
    """A table that was fetched, and what is known of it; its JSON stands beside the table.

    Attributes
    ----------
    task, title : str
        What it was fetched for.
    table : str
        The file.
    sha256 : str
        Of the table.
    rows : int
        In it.
    address : str
        Where it came from.
    file_sha256, file_md5 : str
        Of the file at that address.
    checked : bool
        Whether the md5 is the one that was published; without a published one, False.
    source, licence : str
        As far as it is known.
    fetched : str
        The day.
    """

    task: str
    title: str
    table: str
    sha256: str
    rows: int
    address: str
    file_sha256: str
    file_md5: str
    checked: bool
    source: str
    licence: str
    fetched: str


def fetch(
    name: str, output: str | Path | None = None, file: str | Path | None = None, log: Callable[[str], None] = print
) -> Fetched:
    """Write the table of a task: the column ``smiles``, then the labels, as they stand in the public file.

    Parameters
    ----------
    name : str
        A task of the registry, or of a file of one's own that says its ``table``.
    output : path, optional
        A table as of `exlm_chem.tables.writers.open_writer`, ``NAME.csv.gz`` by default. Nothing is there yet.
    file : path, optional
        The public file, if it is here already; DeepChem's folder of data is looked into anyway.
    log : callable
        Takes what a user should know.

    Raises
    ------
    ExLMError
        If it cannot be had, or is not what was published. Nothing is left in `output` then.
    """
    task = registered_task(name)
    table = task.table
    if table is None:
        raise ExLMError(f"task {quoted(task.name)} does not say where its table is; add [{task.name}.table] to {name}")
    target = Path(output or f"{task.name}.csv.gz")
    for path in (target, _source_file(target)):
        if path.exists():
            raise ExLMError(f"{path} is there already; choose another name with -o")
    with _public_file(table, None if file is None else Path(file), log) as public:
        md5 = _md5(public)
        checked = table.md5 == md5
        _judge(public, table, md5, is_given=file is not None, log=log)
        rows = _write_table(public, task, table, target)
        fetched = Fetched(
            task=task.name,
            title=task.title,
            table=target.name,
            sha256=sha256(target),
            rows=rows,
            address=table.address,
            file_sha256=sha256(public),
            file_md5=md5,
            checked=checked,
            source=task.source,
            licence=task.licence,
            fetched=time.strftime("%Y-%m-%d", time.gmtime()),
        )
    if table.rows not in (None, rows):
        log(f"{target} has {rows:,} rows, and the table that our figures are from has {table.rows:,}")
    write_json(_source_file(target), asdict(fetched))
    return fetched


def is_changed(table: Path) -> bool:
    """Say whether a table is another one than was fetched; what was not fetched is not known to be changed."""
    beside = _source_file(table)
    return beside.is_file() and read_json(beside).get("sha256") != sha256(table)


def deepchem_folder() -> Path:
    """Give the folder into which DeepChem puts what it fetches."""
    return Path(os.environ.get("DEEPCHEM_DATA_DIR") or tempfile.gettempdir())


def _source_file(target: Path) -> Path:
    return target.with_name(target.name + SOURCE_SUFFIX)


@contextlib.contextmanager
def _public_file(table: PublicTable, given: Path | None, log: Callable[[str], None]) -> Iterator[Path]:
    """Give the file as it is at its address: the one that is given, DeepChem's, or a fresh one that vanishes again."""
    if given is not None:
        if not given.is_file():
            raise ExLMError(f"there is no file {given}; download {table.address}, or leave --from away")
        yield given
        return
    name = table.address.rpartition("/")[2]
    there = deepchem_folder() / name
    if table.md5 is not None and there.is_file() and _md5(there) == table.md5:
        log(f"taken from {there}, where DeepChem has put it")
        yield there
        return
    with tempfile.TemporaryDirectory(prefix="exlm-chem-") as folder:
        fresh = Path(folder) / name
        with fresh.open("wb") as sink:
            _download(table.address, sink)
        yield fresh


def _download(address: str, sink: IO[bytes]) -> None:
    import http.client
    import urllib.error
    import urllib.request

    by_hand = f"download {address} by hand, and give the file with --from FILE"
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer:  # noqa: S310  (tasks allow http and https)
            told = answer.headers.get("Content-Length")
            count = 0
            while block := answer.read(1 << 16):
                count += len(block)
                if count > _LARGEST:
                    raise ExLMError(f"{address} gives more than {_LARGEST:,} bytes, so it is no table; {by_hand}")
                sink.write(block)
    except urllib.error.HTTPError as error:
        raise ExLMError(f"{address} answers {error.code} ({error.reason}); {by_hand}") from None
    except urllib.error.URLError as error:
        reason = reason_of(error.reason) if isinstance(error.reason, OSError) else str(error.reason)
        raise ExLMError(f"the network cannot be reached ({reason}); {by_hand}") from None
    except (OSError, http.client.HTTPException) as error:
        reason = reason_of(error) if isinstance(error, OSError) else type(error).__name__
        raise ExLMError(f"the download broke off ({reason}); try again, or {by_hand}") from None
    if told is not None and told.isdecimal() and int(told) != count:
        raise ExLMError(f"the download broke off after {count:,} of {int(told):,} bytes; try again, or {by_hand}")


def _judge(public: Path, table: PublicTable, md5: str, *, is_given: bool, log: Callable[[str], None]) -> None:
    """Compare a file with what was published."""
    if table.md5 is None:
        log(f"no checksum of {table.address} was ever published, so the file was not checked")
    elif table.md5 != md5 and is_given:
        log(
            f"{public} is not the file that was published (its md5 is {md5}, and {table.md5} is known); "
            "it is taken all the same"
        )
    elif table.md5 != md5:
        raise ExLMError(
            f"{table.address} is not the file that was published (md5 {md5}, and {table.md5} is known): it was damaged "
            "on the way or changed; try again, or download it by hand, look at it, and give it with --from FILE"
        )


def _write_table(public: Path, task: Task, table: PublicTable, target: Path) -> int:
    """Write SMILES and labels of a file, cell by cell as they are; give the number of rows."""
    count = 0
    with MoleculeReader(public, ReadOptions(smiles_column=table.smiles)) as reader:
        smiles = reader.column(table.smiles)
        targets = task.for_table(reader.columns, smiles).targets
        places = [smiles, *(reader.column(one) for one in targets)]

        def rows() -> Iterator[list[Any]]:
            nonlocal count
            for record in reader:
                if record.error is not None:
                    raise ExLMError(f"{reader.name}, line {record.line}: {record.error}; download it again")
                count += 1
                yield [record.cells[place] for place in places]

        with open_writer(str(target), ["smiles", *targets], source=str(public)) as writer:
            writer.write(rows())
    return count


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
