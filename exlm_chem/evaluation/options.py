"""What a user may say to the commands of this room; nothing heavy is imported: ``--help`` reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.options import parse_names
from exlm_chem.options import check_options, documented, option

Test = Literal["auto", "tukey", "conover"]
"""How pairs of methods are compared: the test that fits, or the one that is named."""

Choice = Literal["folds", "valid"]
"""What chooses among heads: a cross-validation in training and validation, or the validation part."""

Part = Literal["train", "valid", "test"]
"""Molecules that were learnt from, that decided, or that judge."""


@documented
@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """How runs are compared."""

    metric: str | None = option(None, "What is compared.", shown="roc_auc, or rmse of numbers", metavar="NAME")
    test: Test = option(
        "auto", "Tukey's test after a repeated-measures ANOVA, Conover's after Friedman's, or what fits the scores."
    )
    part: Part = option("test", "The predictions that are judged.")

    def __post_init__(self) -> None:
        check_options(self)


@documented
@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """How a predictor is judged."""

    target: tuple[str, ...] = option(
        (),
        "A column of labels, where the table has other names than the training; one for each output, in order.",
        metavar="COLUMN",
    )
    coverage: float = option(0.9, "What intervals and sets of classes promise to hold.", above=0, below=1)
    device: str = option("auto", "cpu, cuda, mps, or auto for the best there is.")
    seed: int = option(0, "Fixes the bootstrap.", least=0, most=2**32 - 1)

    def __post_init__(self) -> None:
        check_options(self)


FEATURES = ("exlm", "ecfp", "descriptors", "ecfp+descriptors", "exlm+ecfp+descriptors")
HEADS = ("linear", "kernel", "boosting")


@documented
@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions:
    """What a benchmark compares, and on which tables."""

    target: tuple[str, ...] = option(
        (), "A column of labels of DATA; may be given several times.", metavar="COLUMN", group="Tables"
    )
    suite: Literal["moleculenet"] | None = option(None, "Tables of a suite instead of DATA.", group="Tables")
    data: str = option(
        ".", "Where the tables of the suite are: NAME.csv or NAME.csv.gz.", metavar="DIR", group="Tables"
    )
    tasks: tuple[str, ...] = option(
        (), "A table of the suite; may be given several times.", flag="--task", shown="all that are there",
        metavar="NAME", group="Tables",
    )  # fmt: skip
    most_molecules: int = option(
        10_000,
        "Of a larger table so many molecules are drawn; those of a rare class all stay.",
        least=100,
        group="Tables",
    )
    features: tuple[str, ...] = option(
        FEATURES,
        "Blocks of features, + between those that are used together (exlm, ecfp, descriptors, minimol), or chemprop, "
        "which learns by itself and needs no head; may be given several times.",
        metavar="NAMES",
        group="Methods",
        shown=", ".join(FEATURES),
    )
    heads: tuple[str, ...] = option(
        HEADS,
        "A head that may be chosen (linear, kernel, boosting, network, average; as in published tables: plain-linear, "
        "plain-svm, plain-boosting, forest); may be given several times.",
        flag="--head",
        metavar="NAME",
        group="Methods",
        shown=", ".join(HEADS),
    )
    extra_columns: tuple[str, ...] = option(
        (),
        "Columns of DATA that every kind of features has besides, with commas between them: numbers or categories.",
        metavar="COLUMNS",
        parse=parse_names,
        shown="none",
        group="Methods",
    )
    model: str = option("exlm-small", "The encoder: a model that ships, or a directory.", short="-m", group="Methods")
    split: str = option("scaffold", "How the test part is set aside; as finetune's.", metavar="RULE", group="Methods")
    choose_by: Choice = option(
        "folds",
        "What chooses the head: a cross-validation in training and validation, scaffold by scaffold, or the validation "
        "part as in published tables.",
        group="Methods",
    )
    seeds: int = option(3, "Train so often on each table.", least=1, group="Methods")
    device: str = option("auto", "cpu, cuda, mps, or auto for the best there is.", group="Methods")

    def __post_init__(self) -> None:
        check_options(self)
        if len(set(self.extra_columns)) < len(self.extra_columns):
            raise ExLMError("--extra-columns names a column twice.")
