"""``--search``: hyper-parameters from a small space, tried where promising ones were found before (Optuna's TPE).

Every trial is judged by the molecules of training and validation, each predicted by a model that has seen neither it
nor its group. The test part is not looked at. What is tried first is what is there without a search; only something
better takes its place.

References
----------
Bergstra et al., Algorithms for hyper-parameter optimization, NeurIPS 2011.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.choice import held_out_score
from exlm_chem.finetuning.methods.method import Fitted, Material, Report
from exlm_chem.finetuning.metrics import MAIN_METRIC, METRICS
from exlm_chem.heads.space import Parameters, Span

TRAINING_SPACE: Final[dict[str, Span]] = {
    "learning_rate": Span(2e-5, 2e-3, log=True),
    "weight_decay": Span(1e-4, 0.3, log=True),
    "dropout": Span(0.0, 0.5),
    "batch_size": Span(8, 128, log=True, whole=True),
}
"""Of methods full and lora."""

LORA_SPACE: Final = {"rank": Span(2, 32, log=True, whole=True)}
"""Of lora besides."""


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes
    ----------
    parameters : dict
        The best ones; none if nothing is better than what is there without a search.
    score, usual : float or None
        With them, and without a search.
    trials : int
        How many were tried besides.
    """

    parameters: dict[str, float] = field(default_factory=dict)
    score: float | None = None
    usual: float | None = None
    trials: int = 0

    def __str__(self) -> str:
        found = ", ".join(f"{name} {value:.3g}" for name, value in self.parameters.items()) or "nothing better"
        return f"{self.trials} settings are tried, and the best is {found}"

    def to_json(self) -> dict[str, Any]:
        """Say it for ``run.json`` and the card."""
        return {"trials": self.trials, "without": self.usual, "best": self.score, "parameters": self.parameters}


def check_optuna() -> None:
    """Refuse to begin without the library."""
    if importlib.util.find_spec("optuna") is None:
        raise ExLMError("--search needs Optuna; install it with: pip install 'exlm-chem[tune]'")


def search(
    score: Callable[[Parameters], float | None],
    space: Mapping[str, Span],
    trials: int,
    metric: str,
    seed: int,
    report: Report = lambda *_: None,
) -> Found:
    """Look for the parameters with the best score.

    Parameters
    ----------
    score : callable
        Judges parameters, or none of them; None where nothing can be judged.
    space : mapping
        The range of each.
    trials : int
        How many to try.
    metric : str
        What the score is.
    seed : int
        Decides what is tried.
    report : callable, optional
        See `Report`.

    Examples
    --------
    >>> found = search(lambda p: abs(p.get("x", 3) - 1), {"x": Span(-5, 5)}, 20, "rmse", 0)
    >>> 0.5 < found.parameters["x"] < 1.5, found.usual
    (True, 2)
    """
    if not (trials and space):
        return Found(score=(usual := score({})), usual=usual)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    better = METRICS[metric].higher_is_better
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(direction="maximize" if better else "minimize", sampler=sampler)
    ranges = {name: _distribution(span) for name, span in space.items()}
    usual = best = score({})
    parameters: dict[str, float] = {}
    for number in range(trials):
        report(number / trials, f"search {number + 1} of {trials}, best {metric} {best}")
        trial = study.ask(ranges)
        value = score(trial.params)
        if value is None:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        study.tell(trial, value)
        if best is None or (value > best if better else value < best):
            best, parameters = value, dict(trial.params)
    return Found(parameters, best, usual, trials)


def search_training(
    fit: Callable[[Material, int, Report], Fitted], material: Material, seed: int, report: Report
) -> tuple[Material, Found]:
    """Look for options of methods full and lora; give the material with the best ones.

    The molecules that are held out of a fold also decide when its training ends, as the validation part does.

    Parameters
    ----------
    fit : callable
        Trains once.
    material, seed, report
        See `TrainingMethod.train`.
    """
    options = material.options
    columns_of_all = material.dataset.labels.shape[1]

    def with_parameters(parameters: Parameters) -> Material:
        return replace(material, options=replace(options, search=None, **parameters))  # type: ignore[arg-type]

    def score(parameters: Parameters) -> float | None:
        tried = with_parameters(parameters)

        def predict(train: NDArray[np.int64], held_out: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[Any]:
            if len(columns) < columns_of_all:  # a rare label is in one fold only
                return np.full((len(held_out), len(columns)), np.nan)
            split = replace(tried.split, train=train.tolist(), valid=held_out.tolist())
            fitted = fit(replace(tried, split=split), seed, lambda *_: None)
            return fitted.head.predict({"exlm": fitted.vectors[held_out]})

        return held_out_score(predict, material, seed)

    space = {**TRAINING_SPACE, **(LORA_SPACE if options.method == "lora" else {})}
    found = search(score, space, options.search or 0, MAIN_METRIC[material.task.kind], seed, report)
    return with_parameters(found.parameters), found


def _distribution(span: Span) -> Any:
    from optuna.distributions import FloatDistribution, IntDistribution

    if span.whole:
        return IntDistribution(int(span.low), int(span.high), log=span.log)
    return FloatDistribution(span.low, span.high, log=span.log)
