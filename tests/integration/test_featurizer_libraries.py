"""The vectors in scikit-fingerprints and molfeat, where these are installed: neither is needed by anything else.

scikit-fingerprints 2.1 wants an older RDKit than the one that is pinned here: it needs an environment of its own.
"""

import pickle

import numpy as np
import pytest
from rdkit import Chem

from exlm_chem import ExLM
from exlm_chem.errors import ExLMError

SMILES = ["CCO", "c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "CCN"]


@pytest.fixture
def expected(tiny_model):
    return ExLM.from_pretrained(tiny_model, "cpu").embed(SMILES)


def test_fingerprint_of_scikit_fingerprints(tiny_model, expected):
    pytest.importorskip("skfp")
    from skfp.fingerprints import MACCSFingerprint
    from skfp.preprocessing import MolFromSmilesTransformer
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline, make_union

    from exlm_chem.embedding.skfp import ExLMFingerprint

    fingerprint = ExLMFingerprint(tiny_model, device="cpu")
    np.testing.assert_array_equal(fingerprint.transform(SMILES), expected)
    np.testing.assert_allclose(fingerprint.set_params(n_jobs=2, batch_size=1).transform(SMILES), expected, atol=1e-5)
    with pytest.raises(ValueError, match="'pooling' parameter"):
        ExLMFingerprint(tiny_model, pooling="sum").transform(SMILES)
    with pytest.raises(ExLMError, match="molecule 1"):
        ExLMFingerprint(tiny_model).transform(["C", "C1CC"])
    again = pickle.loads(pickle.dumps(clone(fingerprint)))  # noqa: S301
    both = make_union(again, MACCSFingerprint()).set_output(transform="pandas")
    table = make_pipeline(MolFromSmilesTransformer(), both).fit_transform(SMILES)
    assert table.shape == (4, 64 + 166)
    assert table.columns[0] == "exlmfingerprint__exlmfingerprint0"
    assert again.set_params(model="exlm-small").n_features_out == 256
    assert again.set_params(pooling="mean+max").n_features_out == 512


def test_featurizer_of_molfeat(tiny_model, expected):
    pytest.importorskip("molfeat")
    import molfeat.trans.pretrained
    from molfeat.plugins import load_registered_plugins

    from exlm_chem.embedding.molfeat import ExLMMolTransformer

    featurizer = ExLMMolTransformer(tiny_model, device="cpu")
    np.testing.assert_array_equal(featurizer(SMILES), expected)
    np.testing.assert_array_equal(featurizer([Chem.MolFromSmiles(one) for one in SMILES]), expected)
    vectors, rows = featurizer(["CCO", "C1CC", "CCN"], ignore_errors=True)
    np.testing.assert_allclose(vectors, expected[[0, 3]], atol=1e-5)
    assert list(rows) == [0, 2]
    assert len(featurizer) == 64
    again = pickle.loads(pickle.dumps(featurizer))  # noqa: S301
    np.testing.assert_array_equal(again(SMILES), expected)
    load_registered_plugins(plugins=["exlm"])
    assert molfeat.trans.pretrained.ExLMMolTransformer is ExLMMolTransformer
