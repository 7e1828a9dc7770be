"""No molecule takes longer than a few seconds, through any door, and ordinary ones do not notice."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from rdkit import Chem, rdBase

from exlm_chem.pretraining.objectives import objective_values
from exlm_chem.smiles import worker
from exlm_chem.smiles.bounds import LONG, bounded, is_slow, is_slow_block, is_slow_molecule
from exlm_chem.smiles.molecule import (
    MoleculeError,
    canonical_smiles,
    randomised_smiles,
    read_mol_block,
    read_molecule,
    scaffold,
    why_refused,
)
from exlm_chem.smiles.selfies import to_selfies

from .boom import boom
from .nasty import EASY, HARD, cyclodextrin, cyclophane, mol_block

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems limit memory, and show processes, otherwise")
REASONS = {worker.OUT_OF_TIME, worker.OUT_OF_MEMORY}
ESTRONE = "C[C@]12CC[C@H]3[C@@H](CCc4cc(O)ccc43)[C@@H]1CCC2=O"
SMILES = ["CCO", "CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", ESTRONE]


@pytest.mark.parametrize("name", HARD)
def test_hard_molecules_get_a_reason(name, hasty):
    began = time.monotonic()
    error = read_molecule(HARD[name]).error
    assert error in REASONS or error.startswith("impossible valence")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("name", EASY)
def test_large_molecules_that_are_not_hard_are_read(name):
    with rdBase.BlockLogs():
        expected = Chem.CanonSmiles(EASY[name])
    assert read_molecule(EASY[name]).smiles == expected


def test_ordinary_molecules_stay_in_this_process():
    assert not any(map(is_slow, SMILES))
    assert not any(is_slow_molecule(Chem.MolFromSmiles(one)) for one in SMILES)
    assert not any(is_slow_block(Chem.MolToMolBlock(Chem.MolFromSmiles(one))) for one in SMILES)
    assert is_slow("C" * (LONG + 1))
    assert not is_slow("C" * 20_000)  # refused unread
    assert not is_slow("1" * 100)


def test_every_door_is_bounded(hasty):
    hard = cyclophane(22)
    raw = Chem.MolFromSmiles(hard, sanitize=False)
    block, block3 = mol_block(hard), mol_block(hard, 3000)
    assert read_molecule(hard, "parent").error in REASONS
    assert read_molecule(raw).error in REASONS
    assert read_mol_block(block) in [("", reason) for reason in REASONS]
    assert read_mol_block(block3) in [("", reason) for reason in REASONS]
    assert why_refused(hard) in REASONS
    for function in (canonical_smiles, scaffold, to_selfies, lambda text: randomised_smiles(text, 3)):
        with pytest.raises(MoleculeError, match="RDKit needs more than"):
            function(hard)
    for objective in ("descriptors", "ecfp"):
        assert np.isnan(objective_values(hard, objective)).all()


def test_a_molecule_is_not_waited_for_twice(hasty):
    hard = cyclodextrin(21)
    assert read_molecule(hard).error in REASONS
    began = time.monotonic()
    assert read_molecule(hard).error in REASONS
    assert time.monotonic() - began < 0.2


def test_results_are_those_of_this_process():
    for smiles in ["C" * 600, "c1ccccc1" * 80, "N[C@@H](C)C(=O)" * 60 + "O"]:
        assert is_slow(smiles)
        with rdBase.BlockLogs():
            assert scaffold(smiles) == bounded.__globals__["call"](scaffold, smiles)
            assert read_molecule(smiles).smiles == read_molecule(Chem.MolFromSmiles(smiles)).smiles
    values = objective_values("CCO" * 200, "descriptors")
    assert np.isfinite(values).any()


def always(_):
    return True


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("crash", worker.CRASHED),
        ("memory", worker.OUT_OF_MEMORY),
        pytest.param("much", worker.OUT_OF_MEMORY, marks=linux),
        ("odd", "RDKit fails on this molecule: Invariant Violation"),
    ],
)
def test_whatever_goes_wrong_is_a_reason_and_the_next_molecule_is_answered(text, reason):
    with pytest.raises(MoleculeError) as caught:
        bounded(boom, text, suspicious=always)
    assert str(caught.value) == reason
    assert bounded(boom, "well", suspicious=always) == "well"


def test_memory_errors_here_are_reasons_too():
    with pytest.raises(MoleculeError, match="GB of memory"):
        bounded(boom, "memory")


def test_a_worker_that_somebody_ended_is_started_again():
    assert bounded(boom, "well", suspicious=always) == "well"
    worker._client.worker.process.kill()
    assert bounded(boom, "again", suspicious=always) == "again"


def test_an_interrupt_does_not_mix_answers_up(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    bounded(boom, "well", suspicious=always)
    with monkeypatch.context() as patch:
        patch.setattr(worker._Worker, "_answer", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bounded(boom, "first", suspicious=always)
    assert bounded(boom, "second", suspicious=always) == "second"


def length_of(smiles):
    return len(read_molecule(smiles).smiles)


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_from_daemon_processes(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("not on this system")
    assert length_of("C" * 700) == 700  # a worker is running here, which a fork must not talk to
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(length_of, ["C" * 700, "C" * 800]) == [700, 800]
    assert length_of("C" * 900) == 900


@linux  # it looks into /proc
def test_from_a_script_without_a_guard_and_it_ends_with_its_parent():
    code = (
        "from exlm_chem.smiles.molecule import read_molecule as r; print(len(r('C' * 700).smiles))\n"
        "from exlm_chem.smiles.worker import _client; print(_client.worker.process.pid, flush=True)\n"
        "import os; os._exit(0)"  # without any of Python's endings
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    length, pid = done.stdout.split()
    assert length == "700"
    deadline = time.monotonic() + 20
    while _runs(int(pid)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        return file.read().split()[2] != "Z"


def test_no_process_can_be_started(monkeypatch):
    worker._client.end()
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert "no process can be started" in read_molecule("C" * 600).error
    monkeypatch.setattr(sys, "executable", "")
    assert "no process can be started" in read_molecule("C" * 600).error


def test_a_split_puts_up_with_a_scaffold_that_takes_too_long(hasty):
    from exlm_chem.finetuning.splits import scaffold_split

    split = scaffold_split(["CCO", cyclophane(22), "c1ccccc1C"])
    assert sorted([*split.train, *split.valid, *split.test]) == [0, 1, 2]


def test_standardised_molecules_lose_stereo_that_is_none_any_more():
    assert read_molecule("C[C@H]([O-])C.[Na+]", "parent").smiles == "CC(C)O"
    acid = read_molecule("[Na+].[O-]C(=O)[C@H](CC(=O)O)CC(=O)O", "parent").smiles
    assert acid == canonical_smiles(acid)
