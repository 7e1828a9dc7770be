"""What a user may say about analyses."""

from __future__ import annotations

from dataclasses import dataclass

from exlm_chem.machine import checked_device
from exlm_chem.options import check_options, documented, option


@documented
@dataclass(frozen=True, kw_only=True)
class GraphOptions:
    """What of a state graph is told."""

    tokens: int = option(4, "Most probable tokens of every state.", least=1, most=20)
    paths: int = option(3, "Best paths that are drawn.", least=1, most=20)
    device: str = option("auto", "cpu, cuda, mps, or auto for the best there is.")

    def __post_init__(self) -> None:
        check_options(self)
        checked_device(self.device)
