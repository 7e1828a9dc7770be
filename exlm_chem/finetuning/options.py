"""The options of fine-tuning."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Final

from exlm_chem.embedding.options import VectorOptions
from exlm_chem.errors import ExLMError
from exlm_chem.machine import checked_device
from exlm_chem.options import check_options, documented, option
from exlm_chem.terms import BlockName, FinetuningPrecision, Method

BLOCKS: Final[tuple[BlockName, ...]] = ("exlm", "ecfp", "descriptors")
"""What a head reads if nothing is said: all that follows from the molecule."""

LEARNT, HOW, FULL = "What is learnt", "How", "Methods lora and full"
"""Headings of ``exlm-chem finetune --help``."""


def parse_names(text: str) -> tuple[str, ...]:
    """Read names with commas between them; one with a comma in it stands in double quotes.

    Examples
    --------
    >>> parse_names('pH, "cells, living"')
    ('pH', 'cells, living')
    """
    return tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True), []))


@documented
@dataclass(frozen=True, kw_only=True)
class FinetuningOptions(VectorOptions):
    """What a predictor is trained on, and how."""

    task: str | None = option(
        None,
        "A task of data/tasks.toml, or a TOML file with your own.",
        short="-t",
        metavar="NAME|FILE",
        group=LEARNT,
    )
    targets: tuple[str, ...] = option(
        (),
        "A column of labels, instead of --task; may be given several times.",
        flag="--target",
        metavar="COLUMN",
        group=LEARNT,
    )
    model: str = option(
        "exlm-small", "A model that ships, or a model directory.", short="-m", metavar="NAME|DIR", group=HOW
    )
    method: Method = option(
        "head",
        "head: the encoder stays as it is, and a head reads what --features names (seconds to minutes); lora: low-rank "
        "changes of its attention, with one linear layer on its vectors; full: everything together.",
        group=HOW,
    )
    features: tuple[BlockName, ...] | None = option(
        None, "What the head reads of a molecule.", shown="exlm,ecfp,descriptors", group=HOW
    )
    extra_columns: tuple[str, ...] = option(
        (),
        "Columns of the table that the head reads besides, with commas between them: numbers or categories.",
        note="The predictor then needs them too; see `exlm_chem.features.columns`.",
        metavar="COLUMNS",
        parse=parse_names,
        shown="none",
        group=HOW,
    )
    head: str | None = option(
        None,
        "average, linear, kernel, boosting, network, or package.module:Class for your own; of several with commas the "
        "one is chosen that is the best in a cross-validation over the groups of --split, without the test part.",
        note="See `exlm_chem.heads.registry.make_head` and `exlm_chem.finetuning.choice`.",
        metavar="NAMES",
        shown="average",
        group=HOW,
    )
    search: int | None = option(
        None,
        "Try so many other hyper-parameters of the head, or of lora and full, in a cross-validation over the groups "
        "of --split without the test part; a small table cannot tell small differences.",
        note="See `exlm_chem.finetuning.search`; needs Optuna.",
        metavar="N",
        shown="as usual",
        least=1,
        most=100_000,
        group=HOW,
    )
    split: str = option(
        "scaffold",
        "scaffold, random, stratified, butina, group:COLUMN, date:COLUMN, a COLUMN of the table that says train, "
        "valid or test, or a file of row numbers (.json .csv).",
        note="See `exlm_chem.finetuning.splits.parse_split`; the scaffold split is DeepChem's.",
        group=HOW,
    )
    folds: int | None = option(
        None,
        "Cross-validate besides, with so many folds of whole groups of --split: each is once the test.",
        note="The predictor that is kept is trained on the plain split. A file of indices says itself which folds "
        "there are.",
        shown="no cross-validation",
        least=3,
        most=1000,
        group=HOW,
    )
    repeats: int = option(1, "Cut the folds anew so often.", least=1, most=1000, group=HOW)
    weights: str | None = option(
        None,
        "A column that says how much each molecule counts in training: a number of at least 0.",
        metavar="COLUMN",
        group=LEARNT,
    )
    balance: bool = option(False, "Let both classes of a column count the same, however rare one is.", group=LEARNT)
    calibrate: bool = option(
        True,
        "Correct probabilities by what models say of training molecules that they have not seen; not with --balance.",
        group=HOW,
    )
    keep_training: bool = option(
        True,
        "Keep the molecules of training and validation and their labels in the predictor, for intervals, domain and "
        "neighbours.",
        note="Whoever gets the predictor can read them.",
        group=HOW,
    )
    seed: int = option(0, "Fixes the result.", least=0, most=2**32 - 1, group=HOW)
    seeds: int = option(
        1,
        "Train so often; the best on the validation part is kept, or with --ensemble all.",
        note="With the seeds `seed`, `seed` + 1, ...",
        least=1,
        most=1000,
        group=HOW,
    )
    ensemble: bool = option(
        False,
        "Keep all of --seeds: the predictor is the mean of their heads, whose spread can be told; with lora and full "
        "the mean of their weights.",
        group=HOW,
    )
    device: str = option("auto", "cpu, cuda, mps, or auto for the best there is.", group=HOW)
    epochs: int = option(30, "Most passes over the training molecules.", least=1, most=1_000_000, group=FULL)
    patience: int = option(8, "Epochs without a smaller validation loss before it ends.", least=1, group=FULL)
    batch_size: int = option(32, "Molecules per step.", least=1, most=1_000_000, group=FULL)
    learning_rate: float | None = option(
        None,
        "Peak learning rate.",
        note="The first epoch climbs to it, the others go down to zero along a line.",
        shown="2e-4, for lora 1e-3",
        above=0,
        group=FULL,
    )
    rank: int = option(8, "Rank of the changes of method lora.", least=1, most=1024, group=FULL)
    weight_decay: float = option(0.01, "Weight decay of the matrices.", least=0, group=FULL)
    clip: float = option(1.0, "Largest norm of the gradients.", above=0, group=FULL)
    dropout: float = option(0.1, "Dropout in front of the head.", least=0, below=1, group=FULL)
    precision: FinetuningPrecision = option(
        "fp32",
        "Of the training: bf16 is about twice as fast where the device has it in hardware, and auto takes it there.",
        note="The predictor is kept, judged and used in single precision.",
        group=FULL,
    )

    def __post_init__(self) -> None:
        check_options(self)
        checked_device(self.device)
        for flag, texts in (
            ("--task", (self.task or "x",)),
            ("--target", self.targets),
            ("--split", (self.split,)),
            ("--extra-columns", self.extra_columns),
        ):
            if not all(map(str.strip, texts)) or self.task == "":
                raise ExLMError(f"{flag} must not be empty.")
        if self.task is not None and self.targets:
            raise ExLMError("give either --task or --target, not both.")
        if self.features is not None and (not self.features or len(set(self.features)) < len(self.features)):
            raise ExLMError("--features must be one or more blocks, each once.")
        if len(set(self.extra_columns)) < len(self.extra_columns):
            raise ExLMError("--extra-columns names a column twice.")
        if self.repeats > 1 and self.folds is None:
            raise ExLMError("--repeats cuts folds anew; give --folds too.")
        if self.method != "head" and (self.features, self.head, self.extra_columns) != (None, None, ()):
            raise ExLMError(
                f"--method {self.method} trains one linear layer on the encoder's vectors; leave --features and --head "
                "and --extra-columns away."
            )
        if self.ensemble and self.seeds == 1:
            raise ExLMError("--ensemble needs several seeds; give --seeds too.")
        if self.seed + self.seeds > 2**32:
            raise ExLMError(f"--seed {self.seed} leaves no room for --seeds {self.seeds}; choose a smaller one.")

    @property
    def peak_rate(self) -> float:
        """The peak of the learning rate."""
        return self.learning_rate or {"lora": 1e-3}.get(self.method, 2e-4)

    @property
    def blocks(self) -> tuple[BlockName, ...]:
        """What the head reads of a molecule: the encoder's vectors alone where both are trained together."""
        return self.features or (("exlm",) if self.method != "head" else BLOCKS)

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads to choose from; of the other methods, the layer that is trained."""
        named = (name.strip() for name in (self.head or "").split(",") if name.strip())
        return tuple(dict.fromkeys(named)) or (("layer",) if self.method != "head" else ("average",))
