"""Several predictors at once: those with the same encoder share it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.model_directory import open_model
from exlm_chem.predictors.directory import read_predictor
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.terms import BackendName, EmbeddingPrecision


def load_predictors(
    names: Sequence[Predictor | str | Path],
    device: str = "auto",
    backend: BackendName = "auto",
    precision: EmbeddingPrecision = "fp32",
) -> list[Predictor]:
    """Read several predictors; those with the same encoder share it.

    Parameters
    ----------
    names : sequence of Predictor, str or Path
        See `Predictor.from_pretrained`; what is a predictor already stays as it is.
    device, backend, precision
        See `ExLM.from_pretrained`.
    """
    encoders: dict[tuple[str, str], ExLM] = {}
    predictors = []
    for name in names:
        if isinstance(name, Predictor):
            predictors.append(name)
            continue
        directory, task, head = read_predictor(name)
        found = open_model(directory)
        key = found.fingerprint, found.saved.sha256
        if key not in encoders:
            encoders[key] = ExLM.from_pretrained(directory, device, backend, precision)
        predictors.append(Predictor(task, head, encoders[key], directory))
    return predictors
