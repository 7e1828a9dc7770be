"""Order, plan, masks, batches and schedule."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exlm_chem.modeling import ExLMConfig
from exlm_chem.pretraining.batch_plan import Plan, expanded_lengths, longest_molecule
from exlm_chem.pretraining.batching import Batch, MaskedBatches, load_batches
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.corpus_builder import build_corpus
from exlm_chem.pretraining.masking import draw_mask_counts, mask_tokens
from exlm_chem.pretraining.order import permuted
from exlm_chem.smiles.molecule import canonical_smiles
from exlm_chem.tokenizer import ExLMTokenizer
from exlm_chem.training.optimization import learning_rate_factor

TOKENIZER = ExLMTokenizer()
CONFIG = ExLMConfig.preset("tiny", TOKENIZER.vocab_size, mask_token_id=TOKENIZER.mask_id)
SMILES = [f"{'C' * (i % 50 + 1)}{'O' * (i % 2)}{'N' * (i % 3)}{'c1ccccc1' * (i % 4)}" for i in range(600)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "m.smi").write_text("\n".join(map(canonical_smiles, SMILES)))
    return Corpus(build_corpus([folder / "m.smi"], TOKENIZER, cache=folder), validation=0.1)


@pytest.fixture
def plan(corpus: Corpus) -> Plan:
    return Plan(corpus, CONFIG, mask_ratio=0.2, unmasked=0.3, batch_tokens=1024, seed=7, pool_size=256)


def original(batch: Batch) -> list[str]:
    """The molecules of a batch, read from its states and targets."""
    inputs = batch.inputs
    found = []
    if inputs.targets.dim() == 1:  # "mlm"
        targets = [part.tolist() for part in inputs.targets.split(inputs.num_masked.tolist())]
    else:
        targets = [row[1:] for row in inputs.targets.tolist()]  # without <s>
    for row, ids in enumerate(inputs.expansion.input_ids.tolist()):
        first = inputs.expansion.state_index[row].tolist()
        text = [token for token, state in zip(ids, first, strict=True) if state <= 1]
        place = (inputs.rows == row).nonzero()
        if len(place) and inputs.num_masked[place[0, 0]]:
            hidden = iter(targets[int(place[0, 0])])
            text = [next(hidden) if token == TOKENIZER.mask_id else token for token in text]
        found.append(TOKENIZER.decode(text))
    return found


@given(st.integers(1, 5_000), st.integers(0, 2**31))
def test_order_is_a_permutation(size: int, seed: int) -> None:
    rows = permuted(np.arange(size), size, (seed,))
    assert np.array_equal(np.sort(rows), np.arange(size))
    part = np.arange(size // 2, size)
    assert np.array_equal(permuted(part, size, (seed,)), rows[part])


def test_order_looks_random_and_depends_on_the_seed() -> None:
    size = 100_000
    rows = permuted(np.arange(size), size, (1, 0))
    assert not np.array_equal(rows, permuted(np.arange(size), size, (1, 1)))
    assert abs(np.corrcoef(np.arange(size), rows)[0, 1]) < 0.02
    assert abs(np.corrcoef(rows[:-1], rows[1:])[0, 1]) < 0.02
    assert (np.diff(rows) == 1).mean() < 1e-3
    first = np.bincount(rows[: size // 10] * 10 // size, minlength=10)  # tenths of the corpus in a tenth of the order
    assert abs(first - size / 100).max() < 5 * (size / 100) ** 0.5


def test_an_epoch_holds_every_training_molecule_once(plan: Plan, corpus: Corpus) -> None:
    pools = [plan.pool(0, pool) for pool in range(3)]
    rows = np.concatenate([pool.rows for pool in pools])
    assert np.array_equal(np.sort(rows), corpus.training_rows(np.arange(len(corpus))))
    assert not np.array_equal(rows[:50], plan.pool(1, 0).rows[:50])
    used = padded = 0
    for pool in pools:
        costs = expanded_lengths(corpus.lengths(pool.rows), pool.masks, CONFIG)
        for batch in range(len(pool)):
            some = costs[pool.starts[batch] : pool.starts[batch + 1]]
            assert len(some) * some.max() <= 1024
            used, padded = used + some.sum(), padded + len(some) * some.max()
    assert padded / used < 1.1  # small pools; benchmarks/results/pretraining.json has that of real ones


def test_keys_go_on_where_they_stopped(plan: Plan) -> None:
    keys = list(itertools.islice(plan.keys(), 400))
    assert len(set(keys)) == 400
    assert {key[0] for key in keys} >= {0, 1}
    for skip in (0, 1, len(plan.pool(0, 0)), 150):
        assert list(itertools.islice(plan.keys(skip), 50)) == keys[skip : skip + 50]


def test_a_batch_is_the_same_whenever_it_is_made(plan: Plan) -> None:
    batches = MaskedBatches(plan, TOKENIZER)
    first = batches[0, 1, 2]
    batches[0, 0, 0], batches[1, 1, 2]
    assert first.inputs.expansion.input_ids.equal(batches[0, 1, 2].inputs.expansion.input_ids)
    again = MaskedBatches(plan, TOKENIZER)[1, 1, 2]
    assert not first.inputs.expansion.input_ids.equal(again.inputs.expansion.input_ids)


def test_batches_hold_their_molecules_and_say_how_much(plan: Plan) -> None:
    batches = MaskedBatches(plan, TOKENIZER)
    pool = plan.pool(0, 0)
    seen: Counter[str] = Counter()
    for number in range(len(pool)):
        batch = batches[0, 0, number]
        seen.update(original(batch))
        assert (batch.molecules, batch.places) == (len(pool[number][0]), batch.inputs.expansion.input_ids.numel())
        assert batch.tokens == int(batch.inputs.expansion.length.sum()) <= batch.places <= 1024
    assert seen == Counter(canonical_smiles(SMILES[row]) for row in pool.rows)


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than processors, where there is one
def test_processes_share_the_batches(plan: Plan, num_workers: int) -> None:
    batches = MaskedBatches(plan, TOKENIZER)
    keys = list(itertools.islice(plan.keys(3), 6))
    shared = [list(itertools.islice(load_batches(batches, 3, p, 2, num_workers, pin_memory=False), 3)) for p in (0, 1)]
    for number, key in enumerate(keys):
        ours = shared[number % 2][number // 2]
        assert ours.inputs.expansion.input_ids.equal(batches[key].inputs.expansion.input_ids)


def test_a_worker_ends_in_peace_though_a_thread_of_it_is_sending() -> None:
    sending = """
import threading, time, torch
from exlm_chem.pretraining.batching import end_at_once
def send():
    while True:
        torch.zeros(50).share_memory_()
end_at_once(0)
for _ in range(3):
    threading.Thread(target=send, daemon=True).start()
time.sleep(0.05)
"""  # without end_at_once it is aborted six times of six
    ended = subprocess.run([sys.executable, "-c", sending], capture_output=True, text=True, timeout=300, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("objective", ["exlm", "mlm"])
def test_randomised_molecules_are_the_same_molecules(plan: Plan, objective: str) -> None:
    plan = replace(plan, config=replace(CONFIG, objective=objective))
    plain, other = MaskedBatches(plan, TOKENIZER), MaskedBatches(plan, TOKENIZER, randomise=1.0)
    changed = whole = 0
    for number in range(10):
        pairs = zip(original(other[0, 0, number]), original(plain[0, 0, number]), strict=True)
        for ours, theirs in pairs:
            assert canonical_smiles(ours) == canonical_smiles(theirs)
            changed, whole = changed + (ours != theirs), whole + 1
    assert changed > 0.3 * whole
    assert other[0, 0, 3].inputs.expansion.input_ids.equal(other[0, 0, 3].inputs.expansion.input_ids)


def test_masks_never_hide_special_tokens_and_hit_the_ratio() -> None:
    some = ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "C[C@@H](N)C(=O)O", "[Na+].[Cl-]", "CN1CCC[C@H]1c1cccnc1"]
    ids = TOKENIZER.pad([TOKENIZER.encode(s) for s in some * 200])
    generator = np.random.default_rng(0)
    lengths = (ids != TOKENIZER.pad_id).sum(1)
    counts = draw_mask_counts(lengths, 0.2, 0.25, generator)
    masked, labels = mask_tokens(ids, counts, 4, TOKENIZER.mask_id, generator)
    hidden = labels != -100
    assert np.array_equal(hidden, masked == TOKENIZER.mask_id)
    assert np.array_equal(np.where(hidden, labels, masked), ids)
    assert not hidden[ids < 4].any()
    assert np.array_equal(hidden.sum(1), counts)
    assert abs((counts == 0).mean() - 0.25) < 0.04
    long = (counts > 0) & (lengths >= 12)
    assert abs(counts[long].sum() / (lengths[long] - 2).sum() - 0.2) < 0.01
    assert (counts[counts > 0] >= 1).all()


@pytest.mark.parametrize("objective", ["exlm", "mlm"])
def test_the_longest_molecule_fits_however_it_is_masked(objective: str) -> None:
    config = replace(CONFIG, objective=objective)
    longest = longest_molecule(config, 0.3, 500)
    for seed in range(50):
        counts = draw_mask_counts(np.array([longest]), 0.3, 0.0, np.random.default_rng(seed))
        assert expanded_lengths(np.array([longest]), counts, config)[0] <= 500
    most = np.array([int(np.ceil(0.3 * (longest - 1)))])
    assert expanded_lengths(np.array([longest + 1]), most, config)[0] > 500


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_schedule_warms_up_and_ends_at_zero(schedule: str) -> None:
    values = [learning_rate_factor(i / 1000, schedule) for i in range(1001)]
    assert (values[0], max(values)) == (0, 1)
    assert values[-1] < 1e-9
    peak = values.index(1)
    assert all(a <= b for a, b in itertools.pairwise(values[: peak + 1]))
    assert all(a >= b for a, b in itertools.pairwise(values[peak:]))
