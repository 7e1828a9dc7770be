"""Corpus, masks, batches and schedule."""

from __future__ import annotations

import csv
import gzip
import itertools
from pathlib import Path

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMConfig
from exlm_chem.pretraining.batching import MaskedBatches, plan_batches
from exlm_chem.pretraining.corpus import build_corpus
from exlm_chem.pretraining.masking import mask_tokens
from exlm_chem.pretraining.optimization import learning_rate_factor
from exlm_chem.pretraining.trainer import expanded_lengths
from exlm_chem.tokenizer import ExLMTokenizer

TOKENIZER = ExLMTokenizer()
SMILES = ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "C[C@@H](N)C(=O)O", "[Na+].[Cl-]", "CN1CCC[C@H]1c1cccnc1"]


def test_corpus_gives_every_molecule_back(tmp_path: Path) -> None:
    file = tmp_path / "some.smi.gz"
    file.write_bytes(gzip.compress("\n".join(f"{s} name {i}" for i, s in enumerate(SMILES)).encode()))
    corpus = build_corpus([file], tmp_path / "corpus", TOKENIZER, 64, validation=0.0)
    assert [TOKENIZER.decode(corpus[row].tolist()) for row in range(len(corpus))] == SMILES
    assert corpus.lengths.tolist() == [len(TOKENIZER.encode(s)) for s in SMILES]
    assert corpus.summary.tokens == corpus.lengths.sum()


def test_rejected_lines_are_reported_with_their_reason(tmp_path: Path) -> None:
    file = tmp_path / "bad.smi"
    file.write_text("CCO\nC!C\n" + "C" * 100 + "\nCCN\n")
    corpus = build_corpus([file], tmp_path / "corpus", TOKENIZER, 64, validation=0.0)
    assert (corpus.summary.molecules, corpus.summary.rejected) == (2, 2)
    with (tmp_path / "corpus" / "rejected.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [(row["line"], row["smiles"][:3]) for row in rows] == [("2", "C!C"), ("3", "CCC")]
    assert "102 tokens" in rows[1]["reason"]
    assert "!" in rows[0]["reason"]


def test_parts_depend_on_the_molecule_alone(tmp_path: Path) -> None:
    many = [f"{'C' * (i % 40 + 1)}{'O' * (i // 40 + 1)}" for i in range(1000)]
    (tmp_path / "a.smi").write_text("\n".join(many[:500]))
    (tmp_path / "b.smi").write_text("\n".join(reversed(many)))

    def kept_apart(name: str) -> set[str]:
        corpus = build_corpus([tmp_path / name], tmp_path / name[0], TOKENIZER, 128, validation=0.2)
        assert not set(corpus.train_rows) & set(corpus.validation_rows)
        return {TOKENIZER.decode(corpus[row].tolist()) for row in corpus.validation_rows}

    small, large = kept_apart("a.smi"), kept_apart("b.smi")
    assert small == large & set(many[:500])
    assert 150 < len(large) < 250


def test_corpus_is_reused_only_for_the_same_content(tmp_path: Path) -> None:
    file = tmp_path / "c.smi"
    file.write_text("CCO\nCCN\n")
    first = build_corpus([file], tmp_path / "corpus", TOKENIZER, 64, validation=0.0).summary
    stamp = (tmp_path / "corpus" / "tokens.bin").stat().st_mtime_ns
    assert build_corpus([file], tmp_path / "corpus", TOKENIZER, 64, validation=0.0).summary == first
    assert (tmp_path / "corpus" / "tokens.bin").stat().st_mtime_ns == stamp
    file.write_text("CCO\nCCN\nCCC\n")
    assert build_corpus([file], tmp_path / "corpus", TOKENIZER, 64, validation=0.0).summary.molecules == 3


def test_validation_file_and_nothing_to_learn(tmp_path: Path) -> None:
    train, valid = tmp_path / "t.smi", tmp_path / "v.smi"
    train.write_text("CCO\nCCN\n")
    valid.write_text("CCC\n")
    corpus = build_corpus([train], tmp_path / "corpus", TOKENIZER, 64, validation_files=[valid])
    assert [TOKENIZER.decode(corpus[r].tolist()) for r in corpus.validation_rows] == ["CCC"]
    train.write_text("!!!\n")
    with pytest.raises(ExLMError, match="no molecule is left"):
        build_corpus([train], tmp_path / "corpus", TOKENIZER, 64)
    with pytest.raises(ExLMError, match="cannot be read"):
        build_corpus([tmp_path / "missing.smi"], tmp_path / "corpus", TOKENIZER, 64)


def test_masks_never_hide_special_tokens_and_hit_the_ratio() -> None:
    ids = TOKENIZER.pad([TOKENIZER.encode(s) for s in SMILES * 200])
    masked, labels = mask_tokens(ids, 0.2, 4, TOKENIZER.mask_id, np.random.default_rng(0))
    hidden = labels != -100
    assert np.array_equal(hidden, masked == TOKENIZER.mask_id)
    assert np.array_equal(np.where(hidden, labels, masked), ids)
    assert not hidden[ids < 4].any()
    assert (hidden.sum(1) >= 1).all()
    long = (ids >= 4).sum(1) >= 10
    assert abs(hidden[long].sum() / (ids[long] >= 4).sum() - 0.2) < 0.01


def test_plan_holds_every_molecule_once_within_the_budget() -> None:
    generator = np.random.default_rng(1)
    costs = generator.integers(3, 200, 5_000)
    rows = np.arange(5_000) * 2
    plan = plan_batches(rows, costs, 1_000, np.random.default_rng(5))
    assert sorted(plan.rows.tolist()) == rows.tolist()
    used = padded = 0
    for batch in (plan[i] for i in range(len(plan))):
        assert len(batch) * costs[batch // 2].max() <= 1_000
        used, padded = used + costs[batch // 2].sum(), padded + len(batch) * costs[batch // 2].max()
    assert padded / used < 1.05
    again = plan_batches(rows, costs, 1_000, np.random.default_rng(5))
    other = plan_batches(rows, costs, 1_000, np.random.default_rng(6))
    assert np.array_equal(plan.rows, again.rows)
    assert not np.array_equal(plan.rows, other.rows)
    with pytest.raises(ExLMError, match="raise --batch-tokens"):
        plan_batches(rows, costs, 100, generator)


def test_a_batch_is_the_same_whenever_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "m.smi").write_text("\n".join(SMILES))
    corpus = build_corpus([tmp_path / "m.smi"], tmp_path / "corpus", TOKENIZER, 64, validation=0.0)
    plan = plan_batches(corpus.train_rows, corpus.lengths, 40, np.random.default_rng(0))
    batches = MaskedBatches(corpus, plan, TOKENIZER, 0.3, (1, 2))
    first = batches[1]
    batches[0], batches[2]
    assert first.input_ids.equal(batches[1].input_ids)
    other_epoch = MaskedBatches(corpus, plan, TOKENIZER, 0.3, (1, 3))
    assert any(not batches[i].labels.equal(other_epoch[i].labels) for i in range(len(batches)))


def test_expanded_length_is_an_upper_bound() -> None:
    config = ExLMConfig.preset("tiny", TOKENIZER.vocab_size)
    ids = TOKENIZER.pad([TOKENIZER.encode(s) for s in SMILES * 50])
    _, labels = mask_tokens(ids, 0.15, 4, TOKENIZER.mask_id, np.random.default_rng(0))
    lengths = (ids != TOKENIZER.pad_id).sum(1)
    real = lengths + 3 * ((labels != -100).sum(1) + 2)
    assert (real <= expanded_lengths(lengths, config, 0.15)).all()


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_schedule_warms_up_and_ends_at_zero(schedule: str) -> None:
    values = [learning_rate_factor(i / 1000, schedule) for i in range(1001)]
    assert (values[0], max(values)) == (0, 1)
    assert values[-1] < 1e-9
    peak = values.index(1)
    assert all(a <= b for a, b in itertools.pairwise(values[: peak + 1]))
    assert all(a >= b for a, b in itertools.pairwise(values[peak:]))
