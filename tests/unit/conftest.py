"""What unit tests of several rooms share."""

import pytest

from exlm_chem.smiles import worker


@pytest.fixture
def hasty(monkeypatch):
    """A worker that has less patience; started anew, because it has its settings from the environment of its start."""
    worker._client.end()
    worker._client.refused.clear()
    code = worker._COMMAND.replace("worker.serve()", "worker.SECONDS = 0.2; worker.serve()")
    monkeypatch.setattr(worker, "_COMMAND", code)
    yield
    worker._client.end()
    worker._client.refused.clear()
