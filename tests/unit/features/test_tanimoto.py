"""The index finds what RDKit's own comparison of all pairs finds."""

from __future__ import annotations

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from exlm_chem.features.ecfp import EcfpBlock
from exlm_chem.features.tanimoto import TanimotoIndex
from tests.smiles_examples import DRUGS

MOLECULES = [Chem.MolFromSmiles(smiles) for smiles in DRUGS]
COUNTS = EcfpBlock(counts=True).compute(MOLECULES)


def test_similarities_are_those_of_rdkit() -> None:
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    fingerprints = [generator.GetCountFingerprint(molecule) for molecule in MOLECULES]
    index = TanimotoIndex(COUNTS)
    for counts, fingerprint in zip(COUNTS, fingerprints, strict=True):
        expected = DataStructs.BulkTanimotoSimilarity(fingerprint, fingerprints)
        np.testing.assert_allclose(index.similarities(counts), expected, atol=1e-12)


def test_each_molecule_is_most_like_itself_and_may_be_left_out() -> None:
    index = TanimotoIndex(COUNTS)
    rows, similarities = index.nearest(COUNTS)
    assert rows.tolist() == list(range(len(DRUGS)))
    assert (similarities == 1).all()
    others, less = index.nearest(COUNTS, leave_out=np.arange(len(DRUGS)))
    assert (others != np.arange(len(DRUGS))).all()
    assert ((less >= 0) & (less < 1)).all()


def test_what_has_no_fingerprint_has_no_neighbour() -> None:
    index = TanimotoIndex(COUNTS)
    rows, similarities = index.nearest(np.full((1, 2048), np.nan, np.float32))
    assert rows.tolist() == [-1]
    assert np.isnan(similarities).all()
    assert index.nearest(np.empty((0, 2048), np.float32))[0].shape == (0,)


def test_an_empty_index_and_one_of_a_single_molecule() -> None:
    rows, similarities = TanimotoIndex(np.empty((0, 2048), np.float32)).nearest(COUNTS[:2])
    assert rows.tolist() == [-1, -1]
    assert np.isnan(similarities).all()
    alone = TanimotoIndex(COUNTS[:1])
    assert alone.nearest(COUNTS[:2])[0].tolist() == [0, 0]
    assert alone.nearest(COUNTS[:1], leave_out=np.array([0]))[0].tolist() == [-1]


def test_nothing_in_common() -> None:
    rows, similarities = TanimotoIndex(np.array([[1, 0], [0, 0]])).nearest(np.array([[0, 2], [0, 0]]))
    assert similarities.tolist() == [0, 0]
    assert rows.tolist() == [0, 0]
