"""Blocks by their names."""

from dataclasses import asdict, replace

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.features.ecfp import EcfpBlock
from exlm_chem.features.registry import RDKIT_BLOCKS, BlockSpec, block_spec, make_blocks, read_block
from exlm_chem.storage.records import from_json


@pytest.mark.parametrize("name", RDKIT_BLOCKS)
def test_a_block_is_made_again_from_what_is_said_of_it(name):
    (block,) = make_blocks([name])
    again = read_block(from_json(BlockSpec, asdict(block_spec(block))))
    assert (again.fingerprint, again.names) == (block.fingerprint, block.names)
    assert block.compute(["CCO"]).tolist() == again.compute(["CCO"]).tolist()


def test_fingerprints_as_features_are_counts():
    assert make_blocks(["ecfp"])[0].counts


@pytest.mark.parametrize("names", [[], ["ecfp", "ecfp"]])
def test_names_are_given_once(names):
    with pytest.raises(ExLMError, match="features must be one or more of exlm, ecfp, descriptors, each once"):
        make_blocks(names)


def test_unknown_names_are_told():
    with pytest.raises(ExLMError, match="there is no block of features 'maccs'; use exlm, ecfp, descriptors"):
        make_blocks(["maccs"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 5}, "block 'ecfp' gives other numbers here"),
        ({"fingerprint": "0" * 64}, "block 'ecfp' gives other numbers here"),
        ({"settings": {"size": 5}}, "the settings of block 'ecfp' are none that it has"),
        (
            {"settings": {"pooling": "max"}},
            r"the pooling of block 'ecfp' must be one of mean, mean\+middle, mean\+max, first, ",
        ),
        ({"settings": {"layer": True}}, "the layer of block 'ecfp' must be a whole number, not 'True'"),
        ({"name": "os.path"}, "there is no block of features 'os.path'"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(ExLMError, match=message):
        read_block(replace(block_spec(EcfpBlock()), **changes))
