"""Files and directories that are there as a whole or not at all."""

import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.storage import hashes, sha256, write_directory, write_file, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def dead_process():
    return subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    ).stdout.strip()


@pytest.fixture
def leftovers(tmp_path):
    """What a killed run left behind, and what looks like it."""
    dead, alive = dead_process().decode(), os.getppid()
    for name in (f".a.csv.{dead}.part", f".b.csv.{dead}.part", f".a.csv.{alive}.part", ".a.csv.x.part", "a.csv.1.part"):
        (tmp_path / name).write_text("half")
    (tmp_path / f".model.{dead}.part").mkdir()
    (tmp_path / f".model.{dead}.part" / "config.json").write_text("half")
    return sorted({f".b.csv.{dead}.part", f".a.csv.{alive}.part", ".a.csv.x.part", "a.csv.1.part"})


def test_a_failure_leaves_what_was_there(tmp_path):
    target = tmp_path / "a.csv"
    for before in (None, "before"):
        if before is not None:
            target.write_text(before)

        def write_half():
            with write_file(target) as file:
                file.write(b"half")
                assert "a.csv" not in names(tmp_path) or target.read_text() == before  # noqa: B023
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_half()
        assert names(tmp_path) == ([] if before is None else ["a.csv"])

    def make_half():
        with write_directory(tmp_path / "model") as working:
            (working / "config.json").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_half()
    assert names(tmp_path) == ["a.csv"]


def test_leftovers_of_processes_that_are_gone_are_taken_away(tmp_path, leftovers):
    write_text(tmp_path / "a.csv", "whole")
    with write_directory(tmp_path / "model"):
        pass
    assert names(tmp_path) == sorted([*leftovers, "a.csv", "model"])


def test_links_pipes_and_devices_stay(tmp_path):
    write_text(tmp_path / "a.csv", "1")
    (tmp_path / "link.csv").symlink_to("a.csv")
    (tmp_path / "new.csv").symlink_to("b.csv")
    (tmp_path / "null.csv").symlink_to(os.devnull)
    for name in ("link.csv", "new.csv", "null.csv"):
        write_text(tmp_path / name, "2")
        assert (tmp_path / name).is_symlink()
    assert ((tmp_path / "a.csv").read_text(), (tmp_path / "b.csv").read_text()) == ("2", "2")
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_text(tmp_path / "pipe", "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    with pytest.raises(ExLMError, match="/dev/full cannot be written: no space left on device"):
        write_text("/dev/full", "text")


def test_a_link_to_itself_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ExLMError, match="is a link that leads to itself"), write_file(tmp_path / "a"):
        pass
    assert (tmp_path / "a").is_symlink()


def test_what_cannot_be_written_is_told_in_a_sentence(tmp_path):
    for folder in (tmp_path, Path("/"), "."):
        with pytest.raises(ExLMError, match=r"is a folder; name a file in it$"), write_file(folder):
            pass
    with pytest.raises(ExLMError, match=r"there is no folder .*; make it first"), write_file(tmp_path / "no" / "a"):
        pass
    with (
        pytest.raises(ExLMError, match="cannot be written: file name too long"),
        write_directory(tmp_path / ("x" * 999)),
    ):
        pass
    (tmp_path / "full").mkdir()
    write_text(tmp_path / "full" / "a", "1")
    with pytest.raises(ExLMError, match="is there already"), write_directory(tmp_path / "full"):
        pass


def test_long_names_work(tmp_path):
    write_text(tmp_path / ("x" * 250), "1")
    assert names(tmp_path) == ["x" * 250]


def test_the_mode_of_a_file_stays(tmp_path):
    write_text(tmp_path / "a", "1")
    (tmp_path / "a").chmod(0o640)
    write_text(tmp_path / "a", "2")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_limit_of_the_size_leaves_nothing(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(ExLMError, match=r"a\.csv cannot be written: file too large"):
            write_text(tmp_path / "a.csv", "x" * 2000)
        with (
            pytest.raises(ExLMError, match=r"model/b cannot be written: file too large"),
            write_directory(tmp_path / "model") as working,
        ):
            write_text(working / "b", "x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == []


def test_failures_of_other_files_keep_their_names(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"), write_file(tmp_path / "a"):
        (tmp_path / "absent").read_text()


def test_a_directory_that_another_process_made_first_stays(tmp_path):
    target = tmp_path / "corpus"
    with write_directory(target, complete="summary.json") as ours:
        (ours / "summary.json").write_text("ours")
        target.mkdir()
        (target / "summary.json").write_text("theirs")
    assert (target / "summary.json").read_text() == "theirs"
    (target / "summary.json").rename(target / "tokens.bin")  # what is not whole is replaced
    with write_directory(target, complete="summary.json") as ours:
        (ours / "summary.json").write_text("ours")
    assert [names(tmp_path), names(target)] == [["corpus"], ["summary.json"]]


def test_hashes_follow_the_content(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    before = sha256(path)
    path.write_bytes(b"2")  # at once, of the same size
    assert sha256(path) != before
    os.utime(path, (1, 1))
    known = sha256(path)
    monkeypatch.setattr(hashes.hashlib, "file_digest", None)  # not read again
    assert sha256(path) == known
    assert sha256(Path(os.path.relpath(path))) == known
