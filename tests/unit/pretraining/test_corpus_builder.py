"""The corpus: what is in it, what is not and why, and when it is made anew."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.pretraining import corpus_builder
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.corpus_builder import REJECTED, build_corpus
from exlm_chem.pretraining.corpus_files import CorpusFiles
from exlm_chem.pretraining.processes import process_pool
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.text_tokenizer import open_tokenizer
from exlm_chem.tokenizer import ExLMTokenizer

TOKENIZER = ExLMTokenizer()
FIELD_CASES = Path(__file__).parents[2] / "data" / "field_cases"
SMILES = ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "C[C@@H](N)C(=O)O", "[Cl-].[Na+]", "CN1CCC[C@H]1c1cccnc1"]


def texts(corpus: Corpus, rows: np.ndarray | None = None) -> list[str]:
    return [TOKENIZER.decode(corpus[row].tolist()) for row in (range(len(corpus)) if rows is None else rows)]


def rejections(directory: Path) -> list[dict[str, str]]:
    with (directory / REJECTED).open(newline="") as table:
        return list(csv.DictReader(table))


def test_every_molecule_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "some.smi.gz"
    file.write_bytes(gzip.compress("\n".join(f"{s} name {i}" for i, s in enumerate(SMILES)).encode()))
    corpus = Corpus(build_corpus([file], TOKENIZER, cache=tmp_path))
    assert texts(corpus) == SMILES
    rows = np.array([5, 0, 2])
    assert corpus.lengths(rows).tolist() == [len(TOKENIZER.encode(SMILES[row])) for row in rows]
    assert np.array_equal(corpus.padded(rows, TOKENIZER.pad_id), TOKENIZER.pad([corpus[r].tolist() for r in rows]))
    assert corpus.summary.tokens == corpus.lengths(np.arange(len(corpus))).sum()


@pytest.mark.parametrize("check", [True, False])
def test_rejected_lines_are_reported_with_their_reason(check: bool, tmp_path: Path) -> None:
    file = tmp_path / "bad.smi"
    file.write_text("CCO\nC!C\nC1CC\nCCN\n")
    directory = build_corpus([file], TOKENIZER, check=check, cache=tmp_path)
    rows = rejections(directory)
    assert [(row["line"], row["smiles"]) for row in rows] == [("2", "C!C"), ("3", "C1CC")][: 1 + check]
    assert "!" in rows[0]["reason"]
    assert not check or "ring closure 1 is never closed" in rows[1]["reason"]
    assert Corpus(directory).summary.rejected == len(rows)
    assert texts(Corpus(directory)) == ["CCO", *["C1CC"] * (not check), "CCN"]


def test_several_processes_and_several_files_make_the_same_corpus(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(corpus_builder, "LINES", 7)
    first, second = tmp_path / "a.csv", tmp_path / "b.smi"
    first.write_text("name,smiles\n" + "".join(f"x{i},{'C' * (i + 1)}\n" for i in range(40)))
    second.write_text("\n".join([*SMILES, "wrong", *SMILES]))
    made = [build_corpus([first, second], TOKENIZER, cache=tmp_path / str(n), workers=n) for n in (1, 2)]
    assert texts(Corpus(made[0])) == ["C" * (i + 1) for i in range(40)] + SMILES + SMILES
    for name in ("tokens.bin", "offsets.bin", "hashes.bin", REJECTED):
        assert (made[0] / name).read_bytes() == (made[1] / name).read_bytes()
    assert [(r["file"], r["line"]) for r in rejections(made[1])] == [(str(second), "7")]


def test_parts_depend_on_the_molecule_alone(tmp_path: Path) -> None:
    many = [f"{'C' * (i % 40 + 1)}{'O' * (i // 40 % 2)}{'N' * (i // 80 % 2)}{'F' * (i // 160)}" for i in range(320)]
    (tmp_path / "a.smi").write_text("\n".join(many[:160]))
    (tmp_path / "b.smi").write_text("\n".join(reversed(many)))

    def kept_apart(name: str) -> set[str]:
        corpus = Corpus(build_corpus([tmp_path / name], TOKENIZER, cache=tmp_path), validation=0.2)
        rows = corpus.validation_rows()
        learnt = corpus.training_rows(np.arange(len(corpus)))
        assert sorted([*rows, *learnt]) == list(range(len(corpus)))
        assert corpus.counts == (len(learnt), len(rows), 0)
        assert corpus.validation_rows(3).tolist() == rows[:3].tolist()
        return set(texts(corpus, rows))

    small, large = kept_apart("a.smi"), kept_apart("b.smi")
    assert small == large & set(many[:160])
    assert 30 < len(large) < 100


def test_repetitions_are_left_aside_only_if_asked(tmp_path: Path) -> None:
    file = tmp_path / "twice.smi"
    file.write_text("CCO\nCCN\nCCO\nOCC\nCCO\n")
    whole = Corpus(build_corpus([file], TOKENIZER, cache=tmp_path))
    once = Corpus(build_corpus([file], TOKENIZER, deduplicate=True, cache=tmp_path))
    assert (whole.counts[0], once.counts[0]) == (5, 2)
    assert texts(once, once.training_rows(np.arange(5))) == ["CCO", "CCN"]  # OCC is the same molecule
    assert once.summary.duplicates == 3
    unchecked = Corpus(build_corpus([file], TOKENIZER, check=False, deduplicate=True, cache=tmp_path))
    assert texts(unchecked, unchecked.training_rows(np.arange(5))) == ["CCO", "CCN", "OCC"]


def test_too_long_molecules_belong_to_no_part(tmp_path: Path) -> None:
    file = tmp_path / "long.smi"
    file.write_text("CCO\n" + "C" * 100 + "\nCCN\n")
    directory = build_corpus([file], TOKENIZER, cache=tmp_path)
    assert Corpus(directory, max_tokens=64).counts == (2, 0, 1)
    assert texts(Corpus(directory, max_tokens=64), np.array([0, 2])) == ["CCO", "CCN"]


def test_a_corpus_is_made_once_for_the_same_content(tmp_path: Path) -> None:
    file, copy = tmp_path / "c.smi", tmp_path / "copy.smi"
    for one in (file, copy):
        one.write_text("CCO\nCCN\n")
    first = build_corpus([file], TOKENIZER, cache=tmp_path)
    stamp = (first / "tokens.bin").stat().st_mtime_ns
    assert build_corpus([copy], TOKENIZER, cache=tmp_path) == first
    assert (first / "tokens.bin").stat().st_mtime_ns == stamp
    file.write_text("CCO\nCCN\nCCC\n")
    other = build_corpus([file], TOKENIZER, cache=tmp_path)
    assert len(Corpus(other)) == 3
    assert build_corpus([file], ExLMTokenizer("atomwise"), cache=tmp_path) not in (first, other)
    assert not list((tmp_path / "corpora").glob("*.part"))


def test_validation_file(tmp_path: Path) -> None:
    train, valid = tmp_path / "t.smi", tmp_path / "v.smi"
    train.write_text("CCO\nCCN\n")
    valid.write_text("CCC\n")
    corpus = Corpus(build_corpus(CorpusFiles([train], [valid]), TOKENIZER, cache=tmp_path))
    assert texts(corpus, corpus.validation_rows()) == ["CCC"]
    assert texts(corpus, corpus.training_rows(np.arange(3))) == ["CCO", "CCN"]


def test_nothing_to_learn_leaves_nothing_behind(tmp_path: Path) -> None:
    train = tmp_path / "t.smi"
    train.write_text("!!!\n")
    with pytest.raises(ExLMError, match=r"there is no molecule to train on \(1 lines rejected; the first: line 1 of"):
        build_corpus([train], TOKENIZER, cache=tmp_path)
    assert not list((tmp_path / "corpora").iterdir())
    with pytest.raises(ExLMError, match="cannot be read"):
        build_corpus([tmp_path / "missing.smi"], TOKENIZER, cache=tmp_path)
    os.mkfifo(tmp_path / "pipe.smi")
    with pytest.raises(ExLMError, match="is no ordinary file, and a corpus is read twice; write it into a file first"):
        build_corpus([train, tmp_path / "pipe.smi"], TOKENIZER, cache=tmp_path)


def die() -> None:
    os._exit(1)


def test_a_worker_that_dies_ends_the_work() -> None:
    with pytest.raises(ExLMError, match="a worker process died"), process_pool(1) as pool:
        pool.submit(die).result()


def test_what_selfies_cannot_write_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "m.smi"
    file.write_text("CCO\n[Fe]<-N\nC*\n[CH3:1]C\nC11\nCCN\n")
    directory = build_corpus([file], ExLMTokenizer("selfies"), check=False, cache=tmp_path)
    assert len(Corpus(directory)) == 2
    assert [row["line"] for row in rejections(directory)] == ["2", "3", "4", "5"]
    assert all("SELFIES cannot write this molecule" in row["reason"] for row in rejections(directory))


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("ragged.csv", (FIELD_CASES / "55_ragged_corpus.csv").read_text(), 6),
        ("odd.sdf", (FIELD_CASES / "10_odd_blocks.sdf").read_text(), None),
        ("blank.sdf", (FIELD_CASES / "05_blank_before_end.sdf").read_text(), None),
        ("empty.csv", "smiles,name\n,nothing\nCCO,ethanol\n   ,blank\n", 3),
        ("blank.smi", "CCO\n\n\nCCN\n!\n", 5),
        ("missing.tsv", "name\tsmiles\na\tCCO\nb\nc\t\n", 3),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_molecules_and_rejections_are_the_rows(
    name: str, content: str, rows: int | None, check: bool, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(content)
    corpus = Corpus(build_corpus([file], TOKENIZER, check=check, cache=tmp_path))
    rows = content.count("$$$$") if rows is None else rows
    assert len(corpus) + corpus.summary.rejected == rows
    assert len(rejections(corpus.directory)) == corpus.summary.rejected
    assert all(row["reason"] for row in rejections(corpus.directory))


def test_text_is_lines_that_are_cut_where_they_are_too_long(word_tokenizer: Path, tmp_path: Path) -> None:
    tokenizer = open_tokenizer(str(word_tokenizer))
    file = tmp_path / "text.txt"
    file.write_text("the cat sat, on\ta mat\n\n  \na dog\n" + "the cat ran on " * 5 + "a\n" + "a dog\n")
    directory = build_corpus([file], tokenizer, deduplicate=True, most_tokens=10, cache=tmp_path)
    corpus = Corpus(directory, validation=0.5)
    read = [tokenizer.decode(corpus[row].tolist()) for row in range(len(corpus))]
    long = ["the cat ran on the cat ran on", "the cat ran on the cat ran on", "the cat ran on a"]
    assert read == ["the cat sat [UNK] on a mat", "a dog", *long, "a dog"]
    assert (corpus.summary.rejected, corpus.summary.duplicates) == (0, 1)
    parts = corpus.in_validation(np.arange(len(corpus)))
    assert parts[2] == parts[3] == parts[4]
    assert build_corpus([file], tokenizer, deduplicate=True, most_tokens=11, cache=tmp_path) != directory


def test_what_is_no_corpus_of_text(word_tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "text.txt"
    file.write_text("a dog\n")
    tokenizer = open_tokenizer(str(word_tokenizer))
    with pytest.raises(ExLMError, match="leave --smiles-column, --header-line, --sheet and --convert away"):
        build_corpus(CorpusFiles([file], reading=ReadOptions(smiles_column="x")), tokenizer, cache=tmp_path)
    monkeypatch.setattr(corpus_builder, "MOST_TOKENS", 12)
    with pytest.raises(ExLMError, match=r"has 13 tokens, and a corpus keeps at most 12 apart; use a smaller one\."):
        build_corpus([file], tokenizer, cache=tmp_path)
