"""All stages by the name that ``--columns`` gives them: to add one is a file, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.prediction.stages.background import Background, NotKeptError, StageSettings
from exlm_chem.prediction.stages.stage import Stage
from exlm_chem.terms import Kind

Make = Callable[[Background, StageSettings], Stage | None]


@dataclass(frozen=True, slots=True)
class StageEntry:
    """A stage that there is.

    Attributes
    ----------
    made_by : str
        Module of this package and what in it makes the stage; loaded when it is asked for.
    about : str
        What it adds, for ``--help``.
    default : tuple of {"classification", "regression"}
        The predictors for which it is there when nothing is chosen.
    for_all : bool
        Whether its columns are the same for every predictor.
    """

    made_by: str
    about: str
    default: tuple[Kind, ...] = ()
    for_all: bool = False

    @property
    def make(self) -> Make:
        """Makes it for a predictor, or gives None if the predictor has nothing of that kind."""
        module, _, names = self.made_by.partition(":")
        found = import_module(f"{__package__}.{module}")
        for name in names.split("."):
            found = getattr(found, name)
        make: Make = found  # type: ignore[assignment]
        return make


_BOTH: Final[tuple[Kind, ...]] = ("classification", "regression")

STAGES: Final = {
    "class": StageEntry("classes:ClassStage.make", "0 or 1, by the threshold", default=("classification",)),
    "interval": StageEntry("interval:make_interval", "an interval, or a set of classes", default=("regression",)),
    "spread": StageEntry("spread:SpreadStage.make", "how much the members differ"),
    "percentile": StageEntry("percentile:PercentileStage.make", "place among other molecules"),
    "domain": StageEntry("domain:DomainStage.make", "whether the training molecules can tell", default=_BOTH),
    "novelty": StageEntry("domain:NoveltyStage.make", "whether it was trained on, and what is new"),
    "neighbours": StageEntry("neighbours:NeighbourStage.make", "nearest training molecules and their values"),
    "alerts": StageEntry("alerts:AlertStage.make", "structural alerts", for_all=True),
    "descriptors": StageEntry("descriptors:DescriptorStage.make", "weight, logP, TPSA, QED, ...", for_all=True),
    "explanation": StageEntry("explanation:ExplanationStage.make", "pictures of what every atom contributes"),
}
"""In the order of their columns."""


def make_stages(
    names: Sequence[str] | None,
    background: Background,
    settings: StageSettings,
    added: Sequence[str] = (),
    first: bool = True,
) -> list[Stage]:
    """Make the stages of a predictor.

    Parameters
    ----------
    names : sequence of str, optional
        Of `STAGES`, or ``all``; by default those that are there when nothing is chosen. Of all and of those by
        default, there are the ones for which the predictor has what they need.
    background : Background
        The predictor.
    settings : StageSettings
        What the user chose.
    added : sequence of str
        Further ones, beside those by default too.
    first : bool
        Whether it is the first predictor of the table: columns that are the same for all are its.

    Raises
    ------
    ExLMError
        If there is no such stage, or one that was asked for needs what the predictor does not have.

    Examples
    --------
    >>> from exlm_chem.predictors.task import OutputColumn
    >>> background = Background("bbbp", "classification", (OutputColumn("bbbp", "p_np", threshold=0.5),))
    >>> [column.name for stage in make_stages(None, background, StageSettings()) for column in stage.columns]
    ['bbbp_class']
    """
    every = names is not None and "all" in names
    wanted = {name for name, entry in STAGES.items() if every or background.kind in entry.default}
    wanted = set(added) | (wanted if names is None or every else set(check_names(names)))
    stages = []
    for name, entry in STAGES.items():
        if name not in wanted or (entry.for_all and not first):
            continue
        try:
            stage = entry.make(background, settings)
        except NotKeptError:
            if names is not None and not every:
                raise
            continue
        if stage is not None and stage.columns:
            stages.append(stage)
    return stages


def check_names(names: Sequence[str]) -> Sequence[str]:
    """Give the names of stages, or ``all``, back if they are some.

    Raises
    ------
    ExLMError
        Names the first that is none, and those that there are.
    """
    for name in names:
        if name not in STAGES and name != "all":
            raise ExLMError(f"there are no columns {quoted(name)}; --columns takes {', '.join(STAGES)}, all and none")
    return names
