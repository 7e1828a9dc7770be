"""What is kept of a training part: enough, small, and read again as it was or not at all."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import zstandard
from safetensors.numpy import load, save

from exlm_chem.data import data_path
from exlm_chem.errors import ExLMError
from exlm_chem.predictors import training_molecules
from exlm_chem.predictors.training_file import TRAINING_NAME, read_training, write_training
from exlm_chem.predictors.training_molecules import FINGERPRINT, TrainingMolecules
from exlm_chem.smiles.bounds import is_slow
from tests.smiles_examples import DRUGS

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(len(DRUGS), 2)).astype(np.float32)
VALUES[3, 0] = np.nan
VECTORS = RNG.normal(size=(len(DRUGS), 16)).astype(np.float32)


def collected(**options) -> TrainingMolecules:
    return TrainingMolecules.collect(DRUGS, VALUES, VALUES + 0.5, VECTORS, **options)


def zinc(count: int) -> list[str]:
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as file:
        return [line.split()[0] for line, _ in zip(file, range(count), strict=False)]


def test_read_as_it_was_written(tmp_path) -> None:
    kept = collected()
    digest = write_training(tmp_path, kept)
    again = read_training(tmp_path, digest)
    assert again.texts == kept.texts == DRUGS
    assert again.flat == kept.flat
    np.testing.assert_array_equal(again.values, VALUES)
    np.testing.assert_allclose(again.out_of_fold, VALUES + 0.5)
    for name in ("fingerprint_rows", "fingerprints", "vector_rows", "vectors", "center"):
        np.testing.assert_array_equal(getattr(again, name), getattr(kept, name))
    assert (again.chemistry, again.least_similarity) == (kept.chemistry, kept.least_similarity)
    np.testing.assert_array_equal(again.fingerprints, FINGERPRINT.compute(DRUGS))


@pytest.mark.parametrize("unit", [1e-9, 1e6])
def test_predictions_of_any_unit_are_kept(unit, tmp_path) -> None:
    write_training(tmp_path, TrainingMolecules.collect(DRUGS, VALUES * unit, (VALUES + 0.5) * unit))
    np.testing.assert_allclose(read_training(tmp_path).out_of_fold, (VALUES + 0.5) * unit, rtol=1e-6)


def test_probabilities_are_kept_in_half_precision(tmp_path) -> None:
    values = (VALUES > 0).astype(float)
    write_training(tmp_path, TrainingMolecules.collect(DRUGS, values, 0.1 + values / 2))
    tensors = load(zstandard.decompress((tmp_path / TRAINING_NAME).read_bytes()))
    assert tensors["out_of_fold"].dtype == np.float16
    np.testing.assert_allclose(read_training(tmp_path).out_of_fold, 0.1 + values / 2, atol=1e-3)


def test_the_same_run_writes_the_same_file(tmp_path) -> None:
    assert write_training(tmp_path, collected(seed=1)) == write_training(tmp_path, collected(seed=1))


@pytest.mark.parametrize("texts", [[], ["CCO"]])
def test_none_and_one(texts, tmp_path) -> None:
    kept = TrainingMolecules.collect(texts, np.zeros((len(texts), 1)), np.zeros((len(texts), 1)))
    write_training(tmp_path, kept)
    again = read_training(tmp_path)
    assert (again.texts, len(again), again.least_similarity) == (texts, len(texts), 1.0)
    assert again.nearest_by_vector(np.zeros((1, 0)))[0].tolist() == [-1]


def test_connections_without_stereo() -> None:
    kept = collected()
    nicotine = DRUGS[7]
    assert nicotine in kept.known_texts
    assert "CN1CCCC1c1cccnc1" in kept.known_connections
    assert "CN1CCCC1c1cccnc1" not in kept.known_texts


def test_directions_of_eight_bits_find_the_molecule_itself() -> None:
    kept = collected()
    rows, cosines = kept.nearest_by_vector(np.append(VECTORS, np.full((1, 16), np.nan), 0))
    assert kept.vector_rows[rows[:-1]].tolist() == list(range(len(DRUGS)))
    assert (cosines[:-1] > 0.999).all()
    assert rows[-1] == -1
    assert np.isnan(cosines[-1])


def test_of_many_molecules_a_sample_is_kept(monkeypatch) -> None:
    monkeypatch.setattr(training_molecules, "MOST_FINGERPRINTS", 5)
    monkeypatch.setattr(training_molecules, "MOST_VECTORS", 3)
    kept = collected()
    assert (len(kept), len(kept.fingerprints), len(kept.vectors)) == (len(DRUGS), 5, 3)
    assert set(kept.vector_rows) < set(kept.fingerprint_rows)
    assert (~np.isnan(kept.out_of_fold)).any(1).sum() == 5
    np.testing.assert_array_equal(kept.fingerprints, FINGERPRINT.compute([DRUGS[r] for r in kept.fingerprint_rows]))
    assert kept.chemistry.most_atoms == 21  # of all molecules


def test_nearly_all_training_molecules_are_inside() -> None:
    texts = zinc(300)
    kept = TrainingMolecules.collect(texts, np.zeros((300, 1)), np.zeros((300, 1)))
    _, similarities = kept.index.nearest(kept.fingerprints, leave_out=np.arange(300))
    assert (similarities >= kept.least_similarity).mean() == pytest.approx(0.95, abs=0.01)


def test_size_of_a_thousand_molecules(tmp_path) -> None:
    texts = zinc(1000)
    vectors = RNG.normal(size=(1000, 256))
    values = RNG.normal(size=(1000, 1))
    write_training(tmp_path, TrainingMolecules.collect(texts, values, values, vectors))
    assert (tmp_path / TRAINING_NAME).stat().st_size < 400_000


def test_a_molecule_that_keeps_rdkit_busy_is_kept_as_text(tmp_path) -> None:
    ring = "C%11" + "c2ccc(cc2)C" * 9 + "%11"
    assert is_slow(ring)
    kept = TrainingMolecules.collect([ring, "CCO"], np.zeros((2, 1)), np.zeros((2, 1)))
    assert kept.chemistry.most_atoms == 64  # for which no rings need be looked for
    write_training(tmp_path, kept)
    assert read_training(tmp_path).texts == [ring, "CCO"]


def damaged(tmp_path, change) -> None:
    write_training(tmp_path, collected())
    path = tmp_path / TRAINING_NAME
    tensors = load(zstandard.ZstdDecompressor().decompress(path.read_bytes()))
    change(tensors)
    path.write_bytes(zstandard.ZstdCompressor().compress(save(tensors)))


@pytest.mark.parametrize("name", ["values", "texts", "flat", "about", "features", "sizes", "center", "vector_rows"])
@pytest.mark.parametrize("way", ["missing", "short", "other"])
def test_damage_is_told_in_one_sentence(name, way, tmp_path) -> None:
    def change(tensors) -> None:
        if way == "missing":
            del tensors[name]
        elif way == "short":
            end = tensors[name].tobytes().rindex(b"\n") if name == "texts" else -1  # a line: less shows in the hash
            tensors[name] = tensors[name][:end].copy()
        else:
            tensors[name] = np.full(tensors[name].shape, 250, np.uint8 if name in ("texts", "flat") else np.int64)

    damaged(tmp_path, change)
    with pytest.raises(ExLMError, match="copy the directory again"):
        read_training(tmp_path)


def test_rows_beyond_the_end(tmp_path) -> None:
    damaged(tmp_path, lambda tensors: tensors["fingerprint_rows"].__iadd__(5))
    with pytest.raises(ExLMError, match="do not fit"):
        read_training(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no zstd", zstandard.ZstdCompressor().compress(b"no tensors")])
def test_other_files(content, tmp_path) -> None:
    (tmp_path / TRAINING_NAME).write_bytes(content)
    with pytest.raises(ExLMError, match=r"training.safetensors.zst: it is broken"):
        read_training(tmp_path)


def test_another_file_than_was_saved_and_none(tmp_path) -> None:
    with pytest.raises(ExLMError, match="cannot be read"):
        read_training(tmp_path)
    write_training(tmp_path, collected())
    with pytest.raises(ExLMError, match="other sha256"):
        read_training(tmp_path, "0" * 64)


def test_a_promise_of_terabytes_is_refused_unread(tmp_path) -> None:
    packer = zstandard.ZstdCompressor().compressobj(size=2**31)
    (tmp_path / TRAINING_NAME).write_bytes(
        packer.compress(b"\0" * 2**20) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    )
    with pytest.raises(ExLMError, match="more than a gigabyte"):
        read_training(tmp_path)
