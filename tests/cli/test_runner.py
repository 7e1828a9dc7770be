"""The helper that other tests start commands with."""

from tests.cli.runner import run, run_here


def test_in_a_process_and_here_it_is_the_same(monkeypatch, capsys):
    apart = run("tokenize", "CCO")
    assert (apart.status, apart.out, apart.err) == (0, "C C O\n", "")
    assert run_here(monkeypatch, capsys, "tokenize", "CCO") == apart


def test_stdin_environment_and_redirections():
    assert run("tokenize", "-", stdin="CCO\n").status == 0
    assert "Traceback" in run("models", "show", "nowhere", env={"EXLM_CHEM_DEBUG": "1"}).err
    assert run("tokenize", "CCO", redirect="> /dev/null").out == ""
    assert run("tokenize", "CCO", redirect=";ulimit -f 1").out == "C C O\n"
