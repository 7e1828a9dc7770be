"""DeepChem, imported without its noise; an extra, so that this is where a missing one is explained."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

__all__ = ["deepchem"]


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep the fifteen lines on missing optional packages away that DeepChem prints when it is imported."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


try:
    with _quietly():
        import deepchem
except ImportError as error:
    raise ImportError("ExLMFeaturizer and ExLMModel need DeepChem; run: pip install 'exlm-chem[deepchem]'") from error
