"""What every block of features promises."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from rdkit import Chem

from exlm_chem.features.block import FeatureBlock
from exlm_chem.features.descriptors import DescriptorBlock
from exlm_chem.features.ecfp import EcfpBlock

BLOCKS = [DescriptorBlock(), EcfpBlock(), EcfpBlock(radius=3, bits=512, counts=True)]
SMILES = ["CCO", "c1ccccc1C(=O)[O-].[Na+]", "[Fe]", "F/C=C/Cl", "CC(=O)Oc1ccccc1C(=O)O", "[H][H]"]
MOLECULES = [*map(Chem.MolFromSmiles, SMILES), None]


@pytest.mark.parametrize("block", BLOCKS, ids=repr)
def test_shape_type_and_what_is_undefined(block: FeatureBlock) -> None:
    values = block.compute(MOLECULES)
    assert values.shape == (len(MOLECULES), block.width) == (len(MOLECULES), len(block.names))
    assert values.dtype == np.float32
    assert np.isnan(values[-1]).all()
    assert not np.isnan(values[0]).any()
    assert not np.isinf(values).any()
    assert block.compute([]).shape == (0, block.width)


@pytest.mark.parametrize("block", BLOCKS, ids=repr)
def test_a_molecule_has_its_numbers_alone_and_in_another_process(block: FeatureBlock) -> None:
    together = block.compute(MOLECULES)
    again = pickle.loads(pickle.dumps(block))  # noqa: S301
    alone = np.concatenate([again.compute([molecule]) for molecule in MOLECULES])
    np.testing.assert_array_equal(alone, together)
    assert again.fingerprint == block.fingerprint


def test_the_fingerprint_changes_with_what_decides_about_the_numbers() -> None:
    others = [EcfpBlock(3), EcfpBlock(bits=1024), EcfpBlock(counts=True), DescriptorBlock()]
    assert len({block.fingerprint for block in [EcfpBlock(), *others]}) == 5
    assert EcfpBlock().fingerprint == EcfpBlock(2, 2048).fingerprint

    class Changed(EcfpBlock):
        revision = 2

    assert Changed().fingerprint != EcfpBlock().fingerprint


def test_counts_say_how_often() -> None:
    bits, counts = (EcfpBlock(counts=c).compute(MOLECULES[:1])[0] for c in (False, True))
    np.testing.assert_array_equal(bits, (counts > 0).astype(np.float32))


def test_blocks_need_no_torch() -> None:
    code = "import sys, exlm_chem.features.ecfp, exlm_chem.features.descriptors; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
