"""What a run has measured: a table, a picture, and a line for the log."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path


@dataclass(frozen=True)
class Measurement:
    """One evaluation during a run.

    Attributes
    ----------
    step, molecules, tokens : int
        Optimizer steps, molecules and tokens (after expansion) so far.
    seconds : float
        Training time so far, interruptions not counted.
    learning_rate : float
        At this step.
    train_loss, validation_loss : float
        Mean loss since the last measurement; loss on the validation molecules. NaN without validation molecules.
    validation_accuracy : float
        Share of the masked validation tokens that are predicted right; for "exlm" on the best path.
    infeasible : int
        Rows of the validation part that no path can emit; anything but 0 is a defect.
    validation_descriptors, validation_ecfp : float
        Molecule-level losses: squared error as a share of the variance, cross-entropy per bit; NaN without.
    molecules_per_second : float
        Since the last measurement.
    """

    step: int
    molecules: int
    tokens: int
    seconds: float
    learning_rate: float
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    infeasible: int
    molecules_per_second: float
    validation_descriptors: float = math.nan
    validation_ecfp: float = math.nan

    def __str__(self) -> str:
        molecule = {"descriptors": self.validation_descriptors, "ecfp": self.validation_ecfp}
        measured = "".join(f"{name} {loss:.4f}, " for name, loss in molecule.items() if not math.isnan(loss))
        return (
            f"step {self.step:,}: {self.molecules:,} molecules, train loss {self.train_loss:.4f}, "
            f"validation loss {self.validation_loss:.4f}, accuracy {self.validation_accuracy:.3f}, {measured}"
            f"{self.molecules_per_second:,.0f} molecules/s"
        )


@dataclass
class Progress:
    """How far a run is; saved in every checkpoint. The window is what came since the last measurement."""

    step: int = 0
    molecules: int = 0
    tokens: int = 0
    seconds: float = 0.0
    evaluations: int = 0
    window_loss: float = 0.0
    window_steps: int = 0
    window_molecules: int = 0
    window_seconds: float = 0.0
    history: list[Measurement] = field(default_factory=list)

    def count(self, loss: float, molecules: int, tokens: int, seconds: float) -> None:
        """Add one optimizer step."""
        self.step += 1
        self.molecules += molecules
        self.tokens += tokens
        self.seconds += seconds
        self.window_loss += loss
        self.window_steps += 1
        self.window_molecules += molecules
        self.window_seconds += seconds


def write_history(history: list[Measurement], directory: Path) -> None:
    """Write ``metrics.csv`` and ``loss.png`` into a run's directory."""
    table = io.StringIO()
    writer = csv.DictWriter(table, [field.name for field in fields(Measurement)])
    writer.writeheader()
    writer.writerows(asdict(measurement) for measurement in history)
    temporary = directory / "metrics.csv.part"
    temporary.write_text(table.getvalue(), encoding="utf-8")
    temporary.replace(directory / "metrics.csv")
    if history:
        _draw(history, directory / "loss.png")


def _draw(history: list[Measurement], path: Path) -> None:
    # The object interface never touches a display or matplotlib's global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="molecules seen", ylabel="loss (nats per target)")
    molecules = [measurement.molecules for measurement in history]
    axes.plot(molecules, [m.train_loss for m in history], "o-", ms=3, label="training")
    axes.plot(molecules, [m.validation_loss for m in history], "o-", ms=3, label="validation")
    right = axes.twinx()
    right.plot(
        molecules, [m.validation_accuracy for m in history], "s:", color="gray", ms=3, label="validation accuracy"
    )
    right.set(ylabel="accuracy of masked tokens", ylim=(0, 1))
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    temporary = path.with_suffix(".part.png")
    figure.savefig(temporary, dpi=150)
    temporary.replace(path)
