"""What a run has measured: a table, a picture, and a line for the log."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

from exlm_chem.errors import ExLMError
from exlm_chem.storage import write_file, write_text
from exlm_chem.storage.records import Between, from_json


@dataclass(frozen=True)
class Measurement:
    """One evaluation during a run.

    Attributes
    ----------
    step, molecules, tokens : int
        Optimizer steps, molecules and tokens (after expansion, padding not counted) so far.
    seconds : float
        Training time so far; interruptions, evaluations and checkpoints not counted.
    learning_rate : float
        At this step.
    train_loss, validation_loss : float
        Mean of all losses together since the last measurement; loss of the masked tokens on the validation molecules.
        NaN without validation molecules.
    validation_accuracy : float
        Share of the masked validation tokens that are predicted right; for "exlm" on the best path.
    loss_per_masked_token : float
        Nats by which the hidden tokens surprise the model, divided by their number. For "exlm" they contain what it
        costs to find the path, so a value below that of "mlm" is a better prediction of the same tokens.
    path_entropy : float
        Mean entropy in nats of the posterior over a molecule's paths; NaN for "mlm".
    infeasible : int
        Rows of the validation part that no path can emit; anything but 0 is a defect.
    molecules_per_second, tokens_per_second : float
        Since the last measurement.
    gemm_share : float
        Matrix products of the model per second, as a share of what the device reaches on large matrices.
    padding : float
        Share of the tokens in the batches that were padding.
    validation_descriptors, validation_ecfp : float
        Molecule-level losses: squared error as a share of the variance, cross-entropy per bit; NaN without.
    validation_labels : float
        Loss of the labels of tables: bits of a class, squared error of a standardised number; mean over the tables.
    validation_consistency : float
        1 - cosine between the embeddings of two SMILES of one molecule.
    """

    step: int
    molecules: int
    tokens: int
    seconds: float
    learning_rate: float
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    loss_per_masked_token: float
    path_entropy: float
    infeasible: int
    molecules_per_second: float
    tokens_per_second: float
    gemm_share: float
    padding: float
    validation_descriptors: float = math.nan
    validation_ecfp: float = math.nan
    validation_labels: float = math.nan
    validation_consistency: float = math.nan

    def __str__(self) -> str:
        molecule = {
            "path entropy": self.path_entropy,
            "descriptors": self.validation_descriptors,
            "ecfp": self.validation_ecfp,
            "labels": self.validation_labels,
            "consistency": self.validation_consistency,
        }
        measured = "".join(f"{name} {loss:z.4f}, " for name, loss in molecule.items() if not math.isnan(loss))
        alarm = f"{self.infeasible} INFEASIBLE ROWS, " if self.infeasible else ""
        return (
            f"step {self.step:,}: {self.molecules:,} molecules, train loss {self.train_loss:z.4f}, "
            f"{self._validated()}, {measured}{alarm}"
            f"{self.molecules_per_second:,.0f} molecules/s, {self.tokens_per_second:,.0f} tokens/s, "
            f"{self.gemm_share:.0%} of the GEMM peak"
        )

    def _validated(self) -> str:
        if math.isnan(self.validation_loss):
            return "no molecules for validation"
        return f"validation loss {self.validation_loss:z.4f}, accuracy {self.validation_accuracy:.3f}"


Count = Annotated[int, Between(0, 10**15)]
Amount = Annotated[float, Between(0, 1e30)]


@dataclass
class Window:
    """What happened since the last measurement."""

    loss: float = 0.0
    steps: Count = 0
    molecules: Count = 0
    tokens: Count = 0
    places: Count = 0
    flops: Amount = 0.0
    seconds: Amount = 0.0

    def __add__(self, other: Window) -> Window:
        """Put two windows together."""
        return Window(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


@dataclass
class Progress:
    """How far a run is; saved in every checkpoint. `peak_flops` is what all devices together are able to do."""

    step: Count = 0
    batches: Count = 0
    molecules: Count = 0
    tokens: Count = 0
    seconds: Amount = 0.0
    evaluations: Count = 0
    peak_flops: Amount = 0.0
    window: Window = field(default_factory=Window)
    history: list[Measurement] = field(default_factory=list)

    @property
    def gemm_share(self) -> float:
        """Operations of the window as a share of what the devices do on large matrices alone."""
        return self.window.flops / max(self.window.seconds, 1e-9) / self.peak_flops

    @classmethod
    def load(cls, saved: object) -> Progress:
        """Make it from what JSON kept of `dataclasses.asdict` of another.

        Raises
        ------
        ExLMError
            At the first value that is none.
        """
        if not isinstance(saved, dict) or not isinstance(saved.get("history"), list):
            raise ExLMError("progress.history must be a list")
        for place, content, kind in (("progress", saved, cls), ("progress.window", saved.get("window"), Window)):
            known = content if isinstance(content, dict) else {}
            if lacking := [field.name for field in fields(kind) if field.name not in known]:
                raise ExLMError(f"{place}.{lacking[0]} is missing")
        progress = from_json(cls, {**saved, "history": []}, "progress")
        progress.history = [_measurement(one, f"progress.history[{n}]") for n, one in enumerate(saved["history"])]
        return progress


def _measurement(saved: object, place: str) -> Measurement:
    """Read a measurement; what was not measured is null in JSON and NaN here."""
    if not isinstance(saved, dict):
        raise ExLMError(f"{place} must be an object")
    absent: dict[str, Any] = {name: math.nan for name, value in saved.items() if value is None}
    return replace(from_json(Measurement, {**saved, **dict.fromkeys(absent, 0)}, place), **absent)


def write_history(history: list[Measurement], directory: Path) -> None:
    """Write ``metrics.csv`` into a run's directory."""
    table = io.StringIO()
    writer = csv.DictWriter(table, [field.name for field in fields(Measurement)])
    writer.writeheader()
    for measurement in history:  # what was not measured is an empty cell
        writer.writerow({name: "" if math.isnan(value) else value for name, value in asdict(measurement).items()})
    write_text(directory / "metrics.csv", table.getvalue())


PANELS = {
    "loss of the masked tokens (nats)": {
        "validation, per target": "validation_loss",
        "per token": "loss_per_masked_token",
    },
    "share": {"masked tokens right": "validation_accuracy", "GEMM peak": "gemm_share"},
    "molecule-level loss": {
        "descriptors": "validation_descriptors",
        "10 x ECFP bits": "validation_ecfp",
        "labels": "validation_labels",
        "consistency": "validation_consistency",
    },
    "molecules per second": {"": "molecules_per_second"},
    "path entropy (nats)": {"": "path_entropy"},
    "learning rate": {"": "learning_rate"},
}


def draw_history(history: list[Measurement], directory: Path) -> None:
    """Draw ``curves.png`` into a run's directory."""
    figure = _figure()
    molecules = [measurement.molecules for measurement in history]
    for axes, (title, curves) in zip(figure.subplots(2, 3).flat, PANELS.items(), strict=True):
        axes.set(title=title, xlabel="molecules seen")
        for name, column in curves.items():
            factor = 10 if name.startswith("10 x") else 1
            axes.plot(molecules, [factor * getattr(m, column) for m in history], "o-", ms=2, label=name or None)
        if "" not in curves:
            axes.legend(frameon=False, fontsize="small")
        axes.set_ylim(bottom=0)
    with write_file(directory / "curves.png") as file:
        figure.savefig(file, dpi=110, format="png")


def _figure() -> Any:
    """Make an empty figure that draws into files, whatever ``MPLBACKEND`` says: matplotlib refuses to be imported
    when that names nothing it knows.
    """
    with _without("MPLBACKEND"):
        # matplotlib's object interface: pyplot would keep the figure and might look for a display.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    figure = Figure(figsize=(11, 6), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Take a variable out of the environment for a while."""
    value = os.environ.pop(name, None)
    try:
        yield
    finally:
        if value is not None:
            os.environ[name] = value
