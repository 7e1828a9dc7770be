"""Every format of model and predictor directories that ever was can be read, and gives the numbers it gave then.

``tests/data/formats/N`` was written by the version that had format N; a new format adds a folder and changes none.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.modeling import ExLMForMaskedLM, config_file
from exlm_chem.predictors import directory as predictors
from exlm_chem.predictors import task_file
from exlm_chem.predictors.predictor import Predictor

FORMATS = Path(__file__).parents[1] / "data" / "formats"
VERSIONS = sorted(path.name for path in FORMATS.iterdir())


def test_there_is_a_model_and_a_predictor_of_every_version():
    newest = max(config_file.FORMAT_VERSION, task_file.FORMAT_VERSION)
    assert [str(version) for version in range(1, newest + 1)] == VERSIONS
    files = [path for path in FORMATS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 100_000 * len(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_numbers_are_those_of_the_version_that_wrote_it(version):
    folder = FORMATS / version
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    vectors = ExLM.from_pretrained(folder / "model", "cpu").embed(expected["smiles"])
    np.testing.assert_allclose(vectors, expected["embedding"], atol=2e-5, rtol=0)
    table = Predictor.from_pretrained(folder / "predictor", "cpu").predict(expected["smiles"])
    for column in ("logS", "logD"):
        np.testing.assert_allclose(table[column], expected[column], atol=2e-5, rtol=0)
    assert ExLMForMaskedLM.from_pretrained(folder / "model").config.molecule_objectives == {"descriptors": 3}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_read_is_written_in_the_newest_format_with_the_same_numbers(version, tmp_path):
    old, task, head = predictors.read_predictor(FORMATS / version / "predictor")
    predictors.write_predictor(tmp_path / "new", task, head, ExLM.from_pretrained(old, "cpu"))
    expected = Predictor.from_pretrained(old, "cpu").predict(["CCO", "c1ccccc1"])
    assert Predictor.from_pretrained(tmp_path / "new", "cpu").predict(["CCO", "c1ccccc1"]).equals(expected)
    assert predictors.check(tmp_path / "new")
