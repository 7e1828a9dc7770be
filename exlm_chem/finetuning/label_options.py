"""What a user may say about the columns of labels."""

from __future__ import annotations

from dataclasses import dataclass

from exlm_chem.errors import ExLMError
from exlm_chem.options import check_options, documented, option
from exlm_chem.terms import Kind, Transform

_GROUP = "Labels"


@documented
@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """How columns of labels are read, where that shall not be found out from all their cells."""

    kind: Kind | None = option(
        None, "What the labels are: two classes, or measurements.", shown="seen from the labels", group=_GROUP
    )
    positive: tuple[str, ...] = option(
        (),
        "The word that is class 1, where that is not clear; may be given several times.",
        metavar="WORD",
        group=_GROUP,
    )
    unknown: tuple[str, ...] = option(
        (),
        "What stands for a label that is not known, such as -1; may be given several times.",
        note="Empty cells and what pandas and Excel write for them (NA, #N/A, NaN, ...) need not be named.",
        metavar="TEXT",
        group=_GROUP,
    )
    transform: Transform | None = option(
        None,
        "What is learnt of measurements that span orders of magnitude: log10, or of concentrations in M, mM, uM, nM or "
        "pM the negative logarithm of mol/L, such as p:nM for pIC50 from an IC50 in nM.",
        note="A predictor knows it and gives such numbers; `evaluate` takes it where nothing is said.",
        shown="none; of evaluate that of the predictor",
        group=_GROUP,
    )
    relations: tuple[str, ...] = option(
        (),
        "A column of signs (=, <, >) that belong to the labels, as in tables of ChEMBL; of several columns of labels "
        "one for each, in their order.",
        note="See `exlm_chem.finetuning.relations`.",
        flag="--relation",
        metavar="COLUMN",
        group=_GROUP,
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.transform not in (None, "none") and self.kind == "classification":
            raise ExLMError("--transform is for measurements, and the labels are classes; leave it away")
        for name, texts in (("positive", self.positive), ("unknown", self.unknown), ("relation", self.relations)):
            if not all(map(str.strip, texts)):
                raise ExLMError(f"--{name} must not be empty.")
