"""Files and directories written as a whole or not at all, and the hash of a file."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from exlm_chem.errors import ExLMError, printable

_DESCRIPTOR: Final = re.compile(r"/dev/std(out|err)|/(?:dev|proc/self)/fd/(\d+)")
_LONGEST_NAME: Final = 255
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EFBIG, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)})


@contextmanager
def write_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that gets its name when all is written, and vanishes if anything fails.

    What an earlier run that was killed left behind for the same name is taken away. A link stays a link: the file that
    it points to is replaced. Devices and pipes have no name to be given in the end: they are written into.

    Parameters
    ----------
    path : path
        The file; its folder exists.

    Yields
    ------
    BinaryIO
        Its ``name`` is the temporary file, for libraries that write to a path.

    Raises
    ------
    ExLMError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with write_file(Path(folder) / "a.txt") as file:
    ...         number = file.write(b"all")
    ...         print(sorted(path.name.split(".")[-1] for path in Path(folder).iterdir()))
    ...     (Path(folder) / "a.txt").read_text()
    ['part']
    'all'
    """
    if is_special(path):
        with _open_special(path) as file:
            yield file
        return
    target = writable_target(path)
    with _naming(path, target):
        working = _working_name(target)
        _remove_leftovers(target)
        try:
            with io.BufferedWriter(_NamedFile(working, path)) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                working.chmod(stat.S_IMODE(target.stat().st_mode))
            working.replace(target)
        finally:
            working.unlink(missing_ok=True)


def writable_target(path: str | os.PathLike[str]) -> Path:
    """Give the file that a path means in the end; an `ExLMError` says why none can be written there.

    Examples
    --------
    >>> writable_target("out.csv").name
    'out.csv'
    """
    target = final_target(path)
    with _naming(path, target):
        if target.is_dir():
            raise ExLMError(f"{path} is a folder; name a file in it")
        if not target.parent.is_dir():
            raise ExLMError(f"there is no folder {Path(path).parent}; make it first")
        if target.exists() and not os.access(target, os.W_OK):
            raise ExLMError(f"{path} is write-protected; choose another name")
    return target


def write_text(path: str | os.PathLike[str], text: str) -> None:
    r"""Write a text as UTF-8; bytes that were none come out as escapes, such as ``\udcff``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder) / "README.md", "# Model\n")
    ...     (Path(folder) / "README.md").read_text()
    '# Model\n'
    """
    with write_file(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


@contextmanager
def write_directory(path: str | os.PathLike[str], complete: str | None = None) -> Iterator[Path]:
    """Make a directory that gets its name when all is in it, and vanishes if anything fails.

    Parameters
    ----------
    path : path
        The directory; nothing is there yet, or it is empty. Folders above it are made.
    complete : str, optional
        Name of a file that every whole directory of this kind has. A directory without it is replaced; one that
        another process made in the meantime stays, and ours is dropped.

    Yields
    ------
    Path
        The directory under its temporary name, to be filled.

    Raises
    ------
    ExLMError
        If there is something already, or it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with write_directory(Path(folder) / "model") as working:
    ...         _ = (working / "config.json").write_text("{}")
    ...     [path.name for path in (Path(folder) / "model").iterdir()]
    ['config.json']
    """
    target = final_target(path)
    working = _working_name(target)
    with _naming(path, target):
        if complete is None and target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ExLMError(f"{target} is there already; choose another name, or remove it")
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target)
        try:
            shutil.rmtree(working, ignore_errors=True)
            working.mkdir()
            yield working
            for file in working.rglob("*"):
                if file.is_file():
                    _sync(file)
            if complete is not None and (target / complete).exists():
                return
            if complete is not None:
                shutil.rmtree(target, ignore_errors=True)
            if target.exists():
                target.rmdir()  # it is empty; not every system renames onto it
            working.replace(target)
        except ExLMError as error:  # the user knows only the name that it was to get
            raise ExLMError(str(error).replace(str(working), str(target))) from error
        finally:
            shutil.rmtree(working, ignore_errors=True)


def is_special(path: str | os.PathLike[str]) -> bool:
    """Say whether a path is a device, a pipe or an open descriptor: written into, never replaced.

    Examples
    --------
    >>> is_special("/dev/null"), is_special("molecules.csv")
    (True, False)
    """
    if _DESCRIPTOR.fullmatch(os.fspath(path)):
        return True
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  (str and Path alike)
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def final_target(path: str | os.PathLike[str]) -> Path:
    """Follow links to what is to be written.

    Raises
    ------
    ExLMError
        If links lead in a circle.

    Examples
    --------
    >>> final_target("out.csv") == Path("out.csv").absolute().resolve()
    True
    """
    target = Path(os.path.realpath(path))
    if os.path.islink(target):  # noqa: PTH114  (Path fails on names that are too long)
        raise ExLMError(f"{path} is a link that leads to itself; choose another name, or remove it")
    return target


class _NamedFile(io.FileIO):
    """A file whose failures name the path that the user gave, and not those of something else that was read."""

    def __init__(self, working: int | str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
        super().__init__(working, "w")
        self._path = path

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except OSError as error:
            raise _unwritable(self._path, error) from error


@contextmanager
def _open_special(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    found = _DESCRIPTOR.fullmatch(os.fspath(path))
    if found is None:
        working: int | str | os.PathLike[str] = path
    else:  # opened anew by its name, it would begin at the start of the file
        working = os.dup(int(found[2]) if found[2] else {"out": 1, "err": 2}[found[1]])
    with io.BufferedWriter(_NamedFile(working, path)) as file:
        yield file


@contextmanager
def _naming(path: str | os.PathLike[str], target: Path) -> Iterator[None]:
    """Say which output could not be written; failures of other files pass."""
    try:
        yield
    except OSError as error:
        place = None if error.filename is None else os.fsdecode(error.filename)
        working = str(_working_name(target))
        ours = (
            place == str(target) or place in map(str, target.parents) or place.startswith(working) if place else False
        )
        if ours or (place is None and error.errno in _NO_ROOM):
            raise _unwritable(path, error) from error
        raise


def _unwritable(path: str | os.PathLike[str], error: OSError) -> ExLMError:
    return ExLMError(f"{path} cannot be written: {reason_of(error)}")


def reason_of(error: OSError) -> str:
    """Say why the system refused, as the end of a sentence.

    Examples
    --------
    >>> reason_of(FileNotFoundError(2, "No such file or directory"))
    'no such file or directory'
    """
    text = error.strerror or str(error)
    return printable(text[:1].lower() + text[1:])


def _working_name(target: Path) -> Path:
    return target.with_name(f"{_beginning(target)}{os.getpid()}.part")


def _beginning(target: Path) -> str:
    name = target.name
    if len(os.fsencode(name)) + len(".1234567890.part") > _LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return f".{name}."


def _remove_leftovers(target: Path) -> None:
    """Take away what killed runs left of the same target."""
    beginning = _beginning(target)
    try:
        names = [name for name in os.listdir(target.parent) if name.startswith(beginning) and name.endswith(".part")]  # noqa: PTH208
    except PermissionError:  # a folder that may be written but not listed
        return
    for name in names:
        process = name.removeprefix(beginning).removesuffix(".part")
        if process.isdecimal() and not _runs(int(process)):
            path = target.with_name(name)
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _runs(process: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(process))


def _sync(path: Path) -> None:
    with suppress(PermissionError), path.open("rb+") as file:  # a copy of a write-protected file
        os.fsync(file.fileno())
