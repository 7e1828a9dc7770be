"""All blocks of a call: once for each molecule, in order, whatever the processes."""

import numpy as np
import pytest

from exlm_chem.features import compute
from exlm_chem.features.compute import FeatureCache, compute_blocks, start_blocks
from exlm_chem.features.descriptors import DescriptorBlock
from exlm_chem.features.ecfp import EcfpBlock

BLOCKS = [EcfpBlock(counts=True), DescriptorBlock()]
SMILES = ["CCO", None, "c1ccccc1", "CCO", "", "CC(=O)Oc1ccccc1C(=O)O", "CCN"]


def seen(monkeypatch):
    texts = []
    original = compute._compute
    monkeypatch.setattr(compute, "_compute", lambda these, blocks: texts.extend(these) or original(these, blocks))
    return texts


def test_every_block_has_the_rows_of_the_molecules_in_order(monkeypatch):
    texts = seen(monkeypatch)
    features = compute_blocks(SMILES, BLOCKS)
    assert list(features) == ["ecfp", "descriptors"]
    for block in BLOCKS:
        np.testing.assert_array_equal(features[block.name], block.compute(SMILES))
    assert texts == ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "CCN"]
    assert compute_blocks([], BLOCKS)["ecfp"].shape == (0, 2048)


def test_processes_give_what_one_process_gives():
    smiles = ["C" * (index % 19 + 1) + "NO"[index % 2] + "C" * (index // 19) for index in range(2 * compute._PART + 1)]
    started = start_blocks(smiles, BLOCKS, processes=2)
    one = compute_blocks(smiles, BLOCKS, processes=1)
    for block in BLOCKS:
        np.testing.assert_array_equal(started()[block.name], one[block.name])


def test_processes_are_started_when_a_run_has_had_work_enough_for_them(monkeypatch):
    calls = []
    monkeypatch.setattr(compute, "processors", lambda: 2)
    monkeypatch.setattr(
        compute,
        "start_parts",
        lambda function, parts, blocks, processes: (
            calls.append(sum(map(len, parts))) or (lambda: [function(part, blocks) for part in parts])
        ),
    )
    cache = FeatureCache()
    cache.seconds = 2 * compute.START_SECONDS - 0.003
    for smiles in (["C"], ["C", "CC"], ["CC", "CCC"], ["C"]):
        compute_blocks(smiles, BLOCKS[1:], cache=cache)
    assert calls == [1, 1]
    compute_blocks(["CCCC"], BLOCKS[1:])
    assert calls == [1, 1]


def test_a_molecule_that_keeps_rdkit_busy_has_nan_and_the_others_their_numbers(hasty):
    ring = "C%11" + "c2ccc(cc2)C" * 24 + "%11"
    features = compute_blocks([ring, "CCO", "CC"], BLOCKS)
    for block in BLOCKS:
        assert np.isnan(features[block.name][0]).all()
        np.testing.assert_array_equal(features[block.name][1:], block.compute(["CCO", "CC"]))


def test_the_cache_spares_work_and_stays_small(monkeypatch):
    texts = seen(monkeypatch)
    cache = FeatureCache()
    first = compute_blocks(["CCO", "CCN"], BLOCKS[:1], cache=cache)["ecfp"]
    second = compute_blocks(["CCN", "CCC", "CCO"], BLOCKS[:1], cache=cache)["ecfp"]
    assert texts == ["CCO", "CCN", "CCC"]
    np.testing.assert_array_equal(second[[2, 0]], first)
    other = compute_blocks(["CCO"], [EcfpBlock()], cache=cache)["ecfp"]
    np.testing.assert_array_equal(other, EcfpBlock().compute(["CCO"]))
    small = FeatureCache(megabytes=2 * 2048 * 4 / 1e6)
    compute_blocks(["C", "CC", "CCC"], BLOCKS[:1], cache=small)
    assert len(small) == 2


@pytest.mark.parametrize("count", [1, 3])
def test_what_a_block_computes_itself_is_not_given_to_rdkit(count):
    class Length:
        name, width, fingerprint = "length", 1, "0"

        def compute(self, molecules):
            return np.array([[len(one)] for one in molecules], np.float32)

    features = compute_blocks(["CCO"] * count, [Length(), BLOCKS[0]])
    assert features["length"].tolist() == [[3.0]] * count
    assert features["ecfp"].shape == (count, 2048)
