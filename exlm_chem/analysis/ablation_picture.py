"""The picture of an ablation: what every variant loses or gains, with intervals over seeds."""

from __future__ import annotations

from pathlib import Path

from exlm_chem.analysis.picture import new_figure, save_figure

_PANELS = {
    "loss_per_masked_token": "nats per masked token (lower is better)",
    "accuracy": "masked tokens right",
    "qed": "QED from frozen vectors, R²",
}


def draw_ablation(summary: dict[str, dict[str, tuple[float, float]]], path: str | Path) -> None:
    """Draw mean and interval of every variant.

    Parameters
    ----------
    summary : dict
        From `exlm_chem.analysis.ablation.measure_ablation`.
    path : path
        The picture: .png, .svg or .pdf.
    """
    figure = new_figure((4 * len(_PANELS), 1 + 0.35 * len(summary)))
    for axes, (name, title) in zip(figure.subplots(1, len(_PANELS), sharey=True), _PANELS.items(), strict=True):
        means, halves = zip(*(measured[name] for measured in summary.values()), strict=True)
        margins = [0.0 if half != half else half for half in halves]  # noqa: PLR0124  (NaN: one seed)
        axes.errorbar(means, range(len(summary)), xerr=margins, fmt="o", capsize=3)
        if "exlm" in summary:
            axes.axvline(summary["exlm"][name][0], color="grey", linewidth=0.8)
        axes.set_yticks(range(len(summary)), list(summary))
        axes.set_xlabel(title)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].invert_yaxis()
    save_figure(figure, path)
