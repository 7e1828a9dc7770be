"""``exlm-chem map`` as a user runs it."""

from tests.cli.runner import run


def test_a_page_from_stdin(tiny_model, tmp_path):
    table = "smiles,logp\nCCO,-0.1\nC1CC,\nc1ccccc1,2.1\nCCCC,2.9\n"
    done = run("map", "-", "-m", tiny_model, "--colour", "logp", "-o", tmp_path / "map.html", stdin=table)
    assert (done.status, done.out) == (0, "")
    assert done.err == "4 rows, 3 with a vector, 1 without (1 not SMILES)\n"
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert '"name": "logp"' in page
