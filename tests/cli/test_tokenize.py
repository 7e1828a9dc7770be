"""``exlm-chem tokenize``: tokens of SMILES, counts of files."""

import gzip
import json

from tests.cli import runner


def run(*args, **options):
    return runner.run("tokenize", *args, **options)


def test_tokens_of_smiles():
    result = run("C[C@@H](N)C(=O)O", "[13CH4]")
    assert (result.status, result.err) == (0, "")
    assert result.out == "C [C@@H] ( N ) C ( = O ) O\n[ 1 3 C H 4 ]\n"


def test_unknown_tokens_are_marked():
    assert run("--scheme", "atomwise", "C[13CH3]").out == "C <unk:[13CH3]>\n"


def test_a_bad_string_fails_but_the_others_are_shown():
    result = run("CC?", "CCO")
    assert result.status == 1
    assert result.out == "C C O\n"
    assert result.err == "Not SMILES at position 2: unknown character '?' in 'CC?'.\n"


def test_json_of_smiles():
    good, bad = json.loads(run("--json", "--scheme", "selfies", "C=O", "*").out)
    assert good["tokens"] == ["[C]", "[=O]"]
    assert len(good["ids"]) == 4
    assert good["error"] is None
    assert bad["tokens"] is None
    assert "SELFIES" in bad["error"]


def test_counts_of_a_file(tmp_path):
    path = tmp_path / "molecules.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("name,smiles\na,CCO\nb,C[C@@H](N)C(=O)O\nc,CC?\nd,\ne,CC |x|\n")
    result = run(path, "--json")
    assert (result.status, result.err) == (0, "")
    assert json.loads(result.out) == {
        "rows": 5,
        "molecules": 3,
        "empty": 1,
        "cut": 1,
        "tokens": 16,
        "longest": 11,
        "longest_line": 3,
        "unknown": {},
        "failed": 1,
        "errors": [[4, "Not SMILES at position 2: unknown character '?' in 'CC?'."]],
    }
    assert "line 4: Not SMILES at position 2" in run(path).out


def test_counts_of_stdin():
    result = run("-", "--scheme", "atomwise", stdin="[13CH4]\n[13CH4]C\nC[U]\n")
    assert "unknown                2" in result.out
    assert "unknown '[13CH4]': 2 times" in result.out
