"""``exlm-chem embed`` as a user runs it."""

import numpy as np

from exlm_chem.embedding.embedder import ExLM
from tests.cli.runner import run


def test_stdin_to_npz(tiny_model, tmp_path):
    done = run("embed", "-", "-m", tiny_model, "-o", tmp_path / "out.npz", stdin="smiles\nCCO\nC1CC\n")
    assert (done.status, done.out) == (0, "")
    assert done.err == "2 rows, 1 with a vector, 1 without (1 not SMILES)\n"
    with np.load(tmp_path / "out.npz") as arrays:
        np.testing.assert_allclose(arrays["vectors"][0], ExLM.from_pretrained(tiny_model).embed("CCO")[0], atol=1e-6)
        assert np.isnan(arrays["vectors"][1]).all()


def test_short_vectors_of_few_bits(tmp_path):
    done = run("embed", "CCO", "C1CC", "-o", tmp_path / "out.npz", "--dim", 64, "--dtype", "int8")
    assert (done.status, done.err) == (0, "2 rows, 1 with a vector, 1 without (1 not SMILES)\n")
    with np.load(tmp_path / "out.npz") as arrays:
        assert (arrays["vectors"].shape, arrays["vectors"].dtype, arrays["scale"].shape) == ((2, 64), np.int8, (64,))
    done = run("embed", "CCO", "-o", tmp_path / "out.csv", "--dtype", "int8")
    assert done.err.startswith("exlm-chem: --dtype int8 needs a .npz")


def test_failures_leave_no_output(tiny_model, tmp_path):
    done = run("embed", "CCO", "X", "-m", tiny_model, "-o", tmp_path / "out.npy", "--on-invalid", "raise")
    assert done.status == 1
    assert done.err.startswith("exlm-chem: the command line, line 2: ")
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    assert run("embed", "CCO").status == 2
