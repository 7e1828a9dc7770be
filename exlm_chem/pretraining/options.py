"""The options of a pretraining run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.options import check_options, declared, documented, option
from exlm_chem.pretraining.durations import parse_duration
from exlm_chem.terms import (
    Logger,
    MaskUnit,
    MoleculeObjective,
    Objective,
    OptimizerName,
    Precision,
    Preset,
    Schedule,
    Scheme,
    StateGraphKind,
    TrainingDevice,
)

# How long a run lasts, how it is watched and on what it runs may change when it is resumed; what it computes may not.
FREE = {
    *("max_steps", "epochs", "max_seconds", "evaluations", "checkpoint_minutes", "loggers"),
    *("num_workers", "device", "compile"),
}

LEARNING_RATES: dict[OptimizerName, float] = {"muon": 3e-3, "adamw": 1e-3}
"""Measured with `small` and `tiny`: ``benchmarks/optimizers.py``."""

LABELS = "labels:"
"""How a molecule-level objective begins that is a table of labels."""

LEARNT, LENGTH, OPTIMIZER, CORPUS, MACHINE, OUTPUT = (
    *("What is learnt", "How long", "Optimizer", "Corpus", "Machine", "Output"),
)
"""The headings of ``exlm-chem pretrain --help``."""


def parse_objectives(text: str) -> tuple[str, ...]:
    """Read names with commas between them; "none" is none.

    Examples
    --------
    >>> parse_objectives("ecfp, labels:assays.csv"), parse_objectives("none")
    (('ecfp', 'labels:assays.csv'), ())
    """
    names = dict.fromkeys(name.strip() for name in text.split(",") if name.strip())
    return () if list(names) == ["none"] else tuple(names)


@documented
@dataclass(frozen=True, kw_only=True)
class PretrainingOptions:
    """What a run does; it is saved with the run, and a resumed run must have the same, but for what `FREE` names."""

    preset: Preset = option(
        "small",
        "Size: tiny (0.5 M parameters), small (6 M), base (40 M), paper (90 M).",
        group=LEARNT,
        note="See `ExLMConfig.preset`.",
    )
    objective: Objective = option("exlm", "exlm, or mlm for the plain masked language model.", group=LEARNT)
    states: int = option(4, "States of every masked token (exlm).", group=LEARNT, least=1, most=256)
    mask_ratio: float = option(0.15, "Share of the tokens that is masked.", group=LEARNT, above=0, below=1)
    mask_by: MaskUnit = option(
        "token",
        "What is masked together: single tokens, spans of neighbours, or the atoms of a BRICS fragment.",
        group=LEARNT,
        note="The same number of tokens is masked either way; measuring always masks single tokens.",
    )
    guided: float = option(
        0.3,
        "First share of the run in which a token is emitted by its own states only; 0 as published.",
        group=LEARNT,
        note="Without it the paths freeze early at states of later tokens, since at first all later states are equally "
        "probable, and so every jump that leaves few states behind it is cheap.",
        least=0,
        most=1,
    )
    state_graph: StateGraphKind = option(
        "full",
        "Where transitions lead: full, to all later states, as published; next, to those of the next mask; even, to "
        "these with equal probabilities; lanes, from state s to state s.",
        group=LEARNT,
    )
    second_position: bool = option(
        True, "Tell the encoder which of a mask's states is which.", group=LEARNT, note="For ablations only."
    )
    molecule_objectives: tuple[str, ...] = option(
        (),
        "What else the embedding must predict: descriptors, ecfp, or labels:TABLE, the columns of numbers of a table "
        "beside its SMILES; several with commas.",
        flag="--molecule-objective",
        group=LEARNT,
        shown="none",
        metavar="NAMES",
        parse=parse_objectives,
        note="See `build_label_values` for labels; the molecules of a table are learnt from if it is in the corpus.",
    )
    molecule_weight: float = option(
        1.0,
        "Weight of each molecule-level loss beside that of the masked tokens.",
        group=LEARNT,
        note="Such a loss is 1 for a model that knows nothing.",
        least=0,
    )
    unmasked: float = option(
        0.0, "Share of the molecules without masks (molecule objectives).", group=LEARNT, least=0, below=1
    )
    consistency: float = option(
        0.0,
        "Weight of 1 - cosine between the embeddings of two SMILES of one molecule; needs --unmasked.",
        group=LEARNT,
        note="Of the molecules without masks, which are encoded once more for it.",
        least=0,
    )
    init_from: str | None = option(
        None,
        "Start from the weights of a model: one that ships, or a directory; its size is taken, not --preset.",
        group=LEARNT,
        metavar="MODEL",
    )
    max_steps: int | None = option(None, "End after so many optimizer steps.", group=LENGTH, least=1)
    epochs: float | None = option(
        None,
        "End after so many passes over the corpus.",
        group=LENGTH,
        note="The run ends at the first of the three limits; after three epochs when none is given.",
        shown="3, if no limit is given",
        above=0,
    )
    max_seconds: float | None = option(
        None,
        "End after so much training time, like 90s, 30m, 10h.",
        flag="--max-time",
        group=LENGTH,
        metavar="TIME",
        parse=parse_duration,
        above=0,
    )
    batch_tokens: int = option(
        8192, "Tokens of a batch, after expansion.", group=OPTIMIZER, least=1, most=1_000_000_000
    )
    accumulation: int = option(1, "Batches per optimizer step.", group=OPTIMIZER, least=1, most=1_000_000)
    optimizer: OptimizerName = option(
        "muon",
        "muon (for the matrices of the layers, AdamW for the rest) or adamw.",
        group=OPTIMIZER,
        note="See `make_optimizer`.",
    )
    learning_rate: float | None = option(
        None, "Peak learning rate.", group=OPTIMIZER, shown="0.003 for muon, 0.001 for adamw", above=0
    )
    schedule: Schedule = option(
        "linear",
        "linear (warm-up, constant, down to 0) or cosine.",
        group=OPTIMIZER,
        note="See `learning_rate_factor`.",
    )
    weight_decay: float = option(0.01, "Weight decay of the matrices.", group=OPTIMIZER, least=0)
    clip: float = option(1.0, "Largest norm of the gradients.", group=OPTIMIZER, above=0)
    ema: float = option(
        0.0,
        "Average of the weights that is measured and saved: decay, like 0.999; 0 for none.",
        group=OPTIMIZER,
        least=0,
        below=1,
    )
    seed: int = option(0, "Fixes initial weights, order and masks.", group=OPTIMIZER, least=0, most=2**32 - 1)
    validation: float = option(
        0.01, "Share of the corpus kept for validation.", flag="--valid", on_command_line=False, least=0, below=1
    )
    randomise: float = option(
        0.0,
        "Share of the molecules that are written from another atom in every epoch.",
        group=CORPUS,
        least=0,
        most=1,
    )
    deduplicate: bool = option(False, "Leave aside a SMILES that came before.", group=CORPUS)
    check: bool = option(True, "Whether RDKit must accept a molecule, or only the tokenizer.", group=CORPUS)
    scheme: str = option(
        "lossless",
        "How lines are cut into tokens: SMILES by lossless, atomwise or selfies; text by a tokenizer of Hugging Face, "
        "its tokenizer.json or a directory with one.",
        flag="--tokenizer",
        note="For text, --check does not count, and a line that is too long for the model is cut into pieces.",
        metavar="SCHEME|PATH",
        group=CORPUS,
    )
    device: TrainingDevice = option(
        "auto", "cpu, or auto for a GPU if there is one; CUDA_VISIBLE_DEVICES chooses among several.", group=MACHINE
    )
    precision: Precision = option("auto", "auto is bf16 where the device has it in hardware.", group=MACHINE)
    compile: bool = option(
        False,
        "Compile the layers: for GPUs, it saves nothing on a CPU.",
        group=MACHINE,
        note="It takes a minute.",
    )
    fsdp: bool = option(False, "Shard a model that is too large for one device (under torchrun).", group=MACHINE)
    num_workers: int = option(0, "Processes that prepare batches; 0 is this one.", group=MACHINE, least=0, most=256)
    evaluations: int = option(20, "How often the validation loss is measured.", group=OUTPUT, least=1)
    checkpoint_minutes: float = option(5.0, "Time between checkpoints.", group=OUTPUT, above=0)
    loggers: tuple[Logger, ...] = option((), "Where to log besides metrics.csv.", flag="--log", group=OUTPUT)

    def __post_init__(self) -> None:
        check_options(self)
        if unknown := set(self.molecule_objectives) - set(self.computed_objectives) - set(self._labels):
            allowed = f"{', '.join(get_args(MoleculeObjective))} or {LABELS}TABLE"
            raise ExLMError(f"--molecule-objective must be of {allowed}, not {quoted(min(unknown))}.")
        if self.unmasked and not self.molecule_objectives and not self.consistency:
            raise ExLMError(f"--unmasked {self.unmasked} needs a --molecule-objective, or --consistency.")
        if self.consistency and not self.unmasked:
            raise ExLMError(f"--consistency {self.consistency} is of molecules without masks; add --unmasked 0.3.")
        if self.mask_by == "fragment" and (self.scheme == "selfies" or self.reads_text):
            raise ExLMError(f"--mask-by fragment reads SMILES; it cannot be used with --tokenizer {self.scheme}.")
        if self.reads_text and (self.molecule_objectives or self.randomise or self.consistency):
            flags = {"--molecule-objective": self.molecule_objectives, "--randomise": self.randomise}
            flag = next((flag for flag, given in flags.items() if given), "--consistency")
            raise ExLMError(
                f"{flag} is for molecules, and --tokenizer {self.scheme} is for text; leave one of them away."
            )
        if self.optimizer == "muon" and self.fsdp:
            raise ExLMError("--optimizer muon needs whole matrices, which --fsdp cuts; use --optimizer adamw with it.")
        if self.ema and self.fsdp:
            raise ExLMError("--ema needs all weights in one place; leave it away with --fsdp.")
        if self.learning_rate is None:
            object.__setattr__(self, "learning_rate", LEARNING_RATES[self.optimizer])
        if self.max_steps is None and self.epochs is None and self.max_seconds is None:
            object.__setattr__(self, "epochs", 3.0)

    @property
    def computed_objectives(self) -> tuple[MoleculeObjective, ...]:
        """The molecule-level objectives whose values RDKit computes."""
        known = {name: name for name in get_args(MoleculeObjective)}
        return tuple(known[name] for name in self.molecule_objectives if name in known)

    @property
    def label_tables(self) -> tuple[str, ...]:
        """The tables of labels that are objectives."""
        return tuple(name.removeprefix(LABELS) for name in self._labels)

    @property
    def named_objectives(self) -> list[str]:
        """The molecule-level objectives for a directory that is shared: tables without their folders."""
        tables = {name: LABELS + Path(name.removeprefix(LABELS)).name for name in self._labels}
        return [tables.get(name, name) for name in self.molecule_objectives]

    @property
    def _labels(self) -> tuple[str, ...]:
        return tuple(name for name in self.molecule_objectives if name.startswith(LABELS) and name != LABELS)

    @property
    def reads_text(self) -> bool:
        """Whether lines of text are learnt from, and not molecules."""
        return self.scheme not in get_args(Scheme)

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate of this run, which is known even if none was given."""
        return self.learning_rate or LEARNING_RATES[self.optimizer]

    def changed_since(self, saved: dict[str, Any]) -> str | None:
        """Name an option in which a run differs from its checkpoint, of those that decide what is computed."""
        ours = json.loads(json.dumps(asdict(self)))  # as it comes back from a checkpoint
        changed = (name for name, value in saved.items() if name not in FREE and ours.get(name) != value)
        return next(changed, None)

    @classmethod
    def flag(cls, name: str) -> str:
        """Give the flag of an option by the name of its field.

        Examples
        --------
        >>> PretrainingOptions.flag("max_seconds")
        '--max-time'
        """
        return next((one.flag for one in declared(cls) if one.name == name), name)
