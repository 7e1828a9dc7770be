"""What a user may say about a table of results."""

from __future__ import annotations

from dataclasses import dataclass

from exlm_chem.errors import ExLMError
from exlm_chem.machine import checked_device
from exlm_chem.options import check_options, documented, option
from exlm_chem.terms import BackendName, EmbeddingPrecision, EngineName, OnInvalid

_GROUP = "Workers"


@documented
@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """How the rows of a file become those of a result."""

    on_invalid: OnInvalid = option(
        "flag", "A row without an answer: flag gives the reason, skip leaves it out, raise ends the run."
    )
    chunk_size: int = option(1000, "Rows in memory at a time.", least=1, most=10_000_000)
    resume: bool = option(
        False, "Keep what is finished in OUTPUT.part, and go on from what an earlier run has left there."
    )
    device: str = option("auto", "cpu, cuda, mps, or auto for the best there is.")
    backend: BackendName = option(
        "auto", "What the encoder runs on: torch, or onnx, which starts sooner; auto is onnx where there is no GPU."
    )
    precision: EmbeddingPrecision = option(
        "fp32", "Of the encoder: bf16 (torch) is faster where the device multiplies it, int8 (onnx) rounds more."
    )
    engine: EngineName = option(
        "local",
        "Who answers the rows: this process, or workers of Ray, on this machine or a cluster.",
        note="With Ray the result is the same, row by row; each worker loads the model.",
        group=_GROUP,
    )
    ray_address: str | None = option(
        None,
        "A running cluster of Ray, such as auto or head-node:6379.",
        note="The input and the result are on the machine that asks, a directory of one's own on all of them.",
        shown="RAY_ADDRESS, else this machine",
        metavar="HOST:PORT",
        group=_GROUP,
    )
    ray_workers: int | None = option(
        None, "How many workers.", shown="one for each GPU, or processor", least=1, most=1_000_000, group=_GROUP
    )

    def __post_init__(self) -> None:
        check_options(self)
        checked_device(self.device)
        if self.engine == "ray" and self.resume:
            raise ExLMError("--resume is for --engine local; cut the file into parts to go on after a crash with Ray.")
        if self.engine != "ray" and (self.ray_address is not None or self.ray_workers is not None):
            raise ExLMError("--ray-address and --ray-workers need --engine ray.")
