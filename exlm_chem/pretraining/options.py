"""The options of a pretraining run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from exlm_chem.errors import ExLMError
from exlm_chem.modeling.configuration import Objective
from exlm_chem.pretraining.objectives import MoleculeObjective
from exlm_chem.tokenizer import Scheme
from exlm_chem.training.optimization import OptimizerName, Precision, Schedule

Logger = Literal["tensorboard", "wandb"]
POSITIVE = ("max_steps", "epochs", "max_seconds", "batch_tokens", "accumulation", "learning_rate", "checkpoint_minutes")

# How long a run lasts, how it is watched and on what it runs may change when it is resumed; what it computes may not.
FREE = {
    *("max_steps", "epochs", "max_seconds", "evaluations", "checkpoint_minutes", "loggers"),
    *("num_workers", "device", "compile"),
}


@dataclass(frozen=True, kw_only=True)
class PretrainingOptions:
    """What a run does; all of it is saved with the run, and a resumed run must have the same.

    Attributes
    ----------
    preset : str
        Size of the model, see `ExLMConfig.preset`.
    objective : {"exlm", "mlm"}
        Expanded states and alignment, or plain masked language model.
    states : int
        States k of an expanded token.
    mask_ratio : float
        Share of the tokens that is masked.
    guided : float
        First share of the run in which a token is emitted by its own states only (objective "exlm"); 0 trains as
        published. Without it the paths freeze early at states of later tokens, since at first all later states are
        equally probable, and so every jump that leaves few states behind it is cheap.
    unmasked : float
        Share of the molecules that keep all tokens and count for the molecule-level objectives only.
    molecule_objectives : tuple of str
        What else the embedding must predict: "descriptors", "ecfp", both, or nothing.
    molecule_weight : float
        Weight of each molecule-level loss (1 for a model that knows nothing) beside that of the masked tokens.
    max_steps, epochs, max_seconds : int, float, float, optional
        Where the run ends: the first that is reached. One pass over the corpus counts as an epoch. Three epochs when
        none is given.
    batch_tokens : int
        Tokens of a batch after expansion.
    accumulation : int
        Batches per optimizer step.
    optimizer : {"muon", "adamw"}
        See `make_optimizer`.
    learning_rate : float
        Peak learning rate.
    schedule : {"linear", "cosine"}
        See `learning_rate_factor`.
    weight_decay, clip : float
        Of the optimizer; gradients are clipped to this norm.
    precision : {"auto", "fp32", "bf16", "fp16"}
        "auto" is bf16 where the device multiplies it in hardware.
    compile : bool
        Compile the layers with torch.compile. On a CPU it takes a minute and saves nothing.
    fsdp : bool
        Shard weights and optimizer over the processes of ``torchrun``, for models that do not fit on one device.
    ema : float
        Decay of an exponential moving average of the weights, which is measured and saved instead of them; 0 for none.
    device : str
        "cpu", or "auto" for the GPUs if there are any.
    validation : float
        Share of the corpus kept for validation.
    randomise : float
        Share of the molecules that are written anew in every epoch, from another atom and in another order.
    deduplicate : bool
        Whether a text that came before in the corpus is left aside.
    check : bool
        Whether RDKit must accept a molecule of the corpus.
    evaluations : int
        How often the validation loss is measured.
    checkpoint_minutes : float
        Time between checkpoints.
    seed : int
        Fixes initial weights, order and masks.
    num_workers : int
        Processes that prepare batches; 0 is the main one.
    scheme : str
        Tokenizer scheme.
    loggers : tuple of str
        "tensorboard", "wandb": where measurements go besides ``metrics.csv``.
    """

    preset: str = "small"
    objective: Objective = "exlm"
    states: int = 4
    mask_ratio: float = 0.15
    guided: float = 0.3
    unmasked: float = 0.0
    molecule_objectives: tuple[MoleculeObjective, ...] = ()
    molecule_weight: float = 1.0
    max_steps: int | None = None
    epochs: float | None = None
    max_seconds: float | None = None
    batch_tokens: int = 8192
    accumulation: int = 1
    optimizer: OptimizerName = "muon"
    learning_rate: float = 1e-3
    schedule: Schedule = "linear"
    weight_decay: float = 0.01
    clip: float = 1.0
    precision: Precision = "auto"
    compile: bool = False
    fsdp: bool = False
    ema: float = 0.0
    device: str = "auto"
    validation: float = 0.01
    randomise: float = 0.0
    deduplicate: bool = False
    check: bool = True
    evaluations: int = 20
    checkpoint_minutes: float = 5.0
    seed: int = 0
    num_workers: int = 0
    scheme: Scheme = "lossless"
    loggers: tuple[Logger, ...] = ()

    def __post_init__(self) -> None:
        self._check_shares()
        self._check_names()
        for name in POSITIVE:
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ExLMError(f"--{name.replace('_', '-')} must be larger than 0, not {value}.")
        if self.max_steps is None and self.epochs is None and self.max_seconds is None:
            object.__setattr__(self, "epochs", 3.0)

    def changed_since(self, saved: dict[str, Any]) -> str | None:
        """Name an option in which a run differs from its checkpoint, of those that decide what is computed."""
        ours = json.loads(json.dumps(asdict(self)))  # as it comes back from a checkpoint
        changed = (name for name, value in saved.items() if name not in FREE and ours.get(name) != value)
        return next(changed, None)

    def _check_shares(self) -> None:
        if not 0 < self.mask_ratio < 1:
            raise ExLMError(f"--mask-ratio must lie between 0 and 1, not {self.mask_ratio}.")
        if not 0 <= self.validation < 1:
            raise ExLMError(f"--valid must be a share between 0 and 1, not {self.validation}.")
        if not 0 <= self.guided <= 1:
            raise ExLMError(f"--guided must be a share between 0 and 1, not {self.guided}.")
        if not 0 <= self.unmasked < 1 or (self.unmasked and not self.molecule_objectives):
            raise ExLMError(f"--unmasked {self.unmasked} must be a share below 1, and needs a --molecule-objective.")
        if not 0 <= self.randomise <= 1:
            raise ExLMError(f"--randomise must be a share between 0 and 1, not {self.randomise}.")
        if not 0 <= self.ema < 1:
            raise ExLMError(f"--ema must be 0 or a decay below 1, not {self.ema}.")

    def _check_names(self) -> None:
        if self.device not in ("auto", "cpu"):
            raise ExLMError(
                f"--device must be auto or cpu, not {self.device}; CUDA_VISIBLE_DEVICES chooses among GPUs."
            )
        if self.optimizer == "muon" and self.fsdp:
            raise ExLMError("--optimizer muon needs whole matrices, which --fsdp cuts; use --optimizer adamw with it.")
        if self.ema and self.fsdp:
            raise ExLMError("--ema needs all weights in one place; leave it away with --fsdp.")
        for option, values, choices in (
            ("molecule-objective", self.molecule_objectives, get_args(MoleculeObjective)),
            ("log", self.loggers, get_args(Logger)),
        ):
            if unknown := set(values) - set(choices):
                raise ExLMError(f"there is no --{option} {min(unknown)}; choose from {', '.join(choices)}.")
