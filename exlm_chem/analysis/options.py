"""What a user may say about analyses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from exlm_chem.machine import checked_device
from exlm_chem.options import check_options, documented, option
from exlm_chem.terms import MaskUnit, Preset

Variant = Literal[
    "exlm", "k1", "k2", "k8", "no-transitions", "next-mask-only", "lanes", "no-second-position", "masks-15",
    "masks-40", "mlm", "mlm-equal-seconds",
]  # fmt: skip
"""What an ablation changes of exlm."""


@documented
@dataclass(frozen=True, kw_only=True)
class SemanticsOptions:
    """The grid of `exlm-chem analyze semantics`, and how its small models are trained."""

    copies: tuple[int, ...] = option(
        (1, 2, 4), "How often a token is repeated; several by repeating the flag.", shown="1 2 4", least=1, most=16
    )
    masked: tuple[float, ...] = option(
        (0.15, 0.39, 0.62),
        "Share of the copies that is masked; several by repeating the flag.",
        note="With 1, 2 and 4 copies these three hide the same share of the tokens (0.15) wholly.",
        shown="0.15 0.39 0.62",
        above=0,
        below=1,
    )
    preset: Preset = option("tiny", "Size of the models.")
    steps: int = option(300, "Optimizer steps of every model.", least=1)
    batch: int = option(32, "Molecules of a step.", least=1, most=100_000)
    held_out: int = option(1000, "Molecules kept for measuring.", least=40)
    seed: int = option(0, "Fixes weights, order and masks.", least=0, most=2**32 - 1)

    def __post_init__(self) -> None:
        check_options(self)


@documented
@dataclass(frozen=True, kw_only=True)
class AblationOptions:
    """What `exlm-chem analyze ablation` leaves out, and how long its models learn."""

    variants: tuple[Variant, ...] = option(get_args(Variant), "What is trained.", shown="all")
    preset: Preset = option("tiny", "Size of the models.")
    passes: float = option(1.0, "Passes over the molecules, the same for all but mlm-equal-seconds.", above=0)
    mask_ratio: float = option(0.2, "Share of the tokens that is masked, also where it is measured.", above=0, below=1)
    mask_by: MaskUnit = option("token", "What is masked together, also where it is measured.")
    seeds: int = option(3, "Runs of everything.", least=1, most=100)
    batch_tokens: int = option(4096, "Tokens of a batch, after expansion.", least=512, most=1_000_000_000)
    held_out: int = option(500, "Molecules on which everything is measured.", least=40, most=100_000)

    def __post_init__(self) -> None:
        check_options(self)


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


@documented
@dataclass(frozen=True, kw_only=True)
class MultimodalityOptions:
    """How `exlm-chem analyze multimodality` asks models about masks."""

    masks: tuple[int, ...] = option(
        (1, 2, 3, 5, 8), "Masks of a molecule; several by repeating the flag.", shown="1 2 3 5 8", least=1, most=64
    )
    number: int = option(300, "Molecules that are asked about: the first ones with enough tokens.", short="-n", least=1)
    samples: int = option(4, "Answers drawn for every molecule.", least=1, most=1000)
    mode: float = option(0.05, "Least probability of a token that counts as a mode.", above=0, below=1)
    seed: int = option(0, "Fixes masks and samples.", least=0, most=2**32 - 1)
    device: str = option("auto", "cpu, cuda, mps, or auto for the best there is.")

    def __post_init__(self) -> None:
        check_options(self)
        checked_device(self.device)
