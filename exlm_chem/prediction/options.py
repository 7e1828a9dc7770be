"""What a user may say about predictions."""

from __future__ import annotations

from dataclasses import dataclass

from exlm_chem.options import documented
from exlm_chem.tables.result_options import ResultOptions


@documented
@dataclass(frozen=True, kw_only=True)
class PredictionOptions(ResultOptions):
    """How the molecules of a file are predicted, and what becomes of those that cannot be read."""
