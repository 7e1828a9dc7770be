"""What a user may say about predictions."""

from __future__ import annotations

from dataclasses import dataclass

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.options import documented, option
from exlm_chem.prediction.stages.registry import STAGES, check_names
from exlm_chem.tables.result_options import ResultOptions
from exlm_chem.terms import AlertList, ConformalRule

DRUGS = "drugs"
"""The name of the reference set that ships."""

_GROUP = "What stands beside the predictions"


def parse_columns(text: str) -> tuple[str, ...]:
    """Read what ``--columns`` says: names with commas between them, ``+`` before what is added, ``none``, or ``all``.

    Examples
    --------
    >>> parse_columns("class, domain"), parse_columns("+spread"), parse_columns("none")
    (('class', 'domain'), ('+spread',), ())
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    return () if names == ("none",) else names


@documented
@dataclass(frozen=True, kw_only=True)
class PredictionOptions(ResultOptions):
    """How the molecules of a file are predicted, and what becomes of those that cannot be read."""

    columns: tuple[str, ...] | None = option(
        None,
        f"What stands beside each prediction: {', '.join(STAGES)}; several with commas, none, all, or +NAME beside "
        "those by default.",
        note="A name after + is added to those by default: ``+spread``.\n        "
        "By default the class or the interval, and the domain, as far as the predictor has what they need.",
        group=_GROUP,
        shown="class or interval, domain",
        metavar="NAMES",
        parse=parse_columns,
    )
    descriptors: bool = option(False, "The same as --columns +descriptors: numbers of RDKit.", group=_GROUP)
    alerts: tuple[AlertList, ...] = option((), "Lists of structural alerts whose hits are told.", group=_GROUP)
    coverage: float = option(
        0.9, "How often intervals and sets shall hold the measured value.", above=0, below=1, group=_GROUP
    )
    conformal: ConformalRule = option(
        "class", "Whether the coverage of sets is that of each class, or of all molecules together.", group=_GROUP
    )

    extra: tuple[str, ...] = option(
        (),
        "One value for all rows of a column that a predictor reads besides the molecules; may be given several times.",
        metavar="COLUMN=VALUE",
    )
    reference: str | None = option(
        None,
        "The molecules among which the percentile places each prediction: drugs, which are 500 approved ones, or a "
        "file.",
        note="By default these are the training molecules; a file of that name is ``./drugs``.",
        group=_GROUP,
        metavar="drugs|FILE",
        shown="training molecules",
    )
    explain: str | None = option(
        None, "A folder for pictures of what every atom contributes.", group=_GROUP, metavar="DIR"
    )
    report: str | None = option(
        None,
        "A page for the browser besides: structures, numbers, filters, a histogram, and pictures of how good it is "
        "where the table has the measured values.",
        group=_GROUP,
        metavar="FILE.html",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.engine == "ray" and self.explain is not None:
            raise ExLMError("--explain is for --engine local; the pictures would lie on the machines of the workers.")
        check_names([name.removeprefix("+") for name in self.columns or ()])
        for text in self.extra:
            if "=" not in text:
                raise ExLMError(f"--extra must be COLUMN=VALUE, not {quoted(text)}.")

    @property
    def given(self) -> dict[str, str]:
        """The columns of which all rows have one value, and that value."""
        pairs = (text.partition("=") for text in self.extra)
        return {name.strip(): value.strip() for name, _, value in pairs}

    @property
    def chosen(self) -> tuple[str, ...] | None:
        """The stages in the place of those by default; None for these."""
        names = tuple(name for name in self.columns or () if not name.startswith("+"))
        return None if self.columns is None or (self.columns and not names) else names

    @property
    def added(self) -> tuple[str, ...]:
        """The stages that are there whatever `columns` says."""
        wanted = {
            "percentile": self.reference,
            "alerts": self.alerts,
            "descriptors": self.descriptors,
            "explanation": self.explain,
        }
        named = tuple(name[1:] for name in self.columns or () if name.startswith("+"))
        return named + tuple(name for name, value in wanted.items() if value)
