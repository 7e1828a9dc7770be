"""The engine: accelerate, set up for one CPU, one GPU, several of them, or several machines."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from accelerate import Accelerator, DistributedType, FullyShardedDataParallelPlugin
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import (
    GradientAccumulationPlugin,
    InitProcessGroupKwargs,
    ProjectConfiguration,
    is_tensorboard_available,
    is_wandb_available,
)

from exlm_chem.errors import ExLMError
from exlm_chem.pretraining.environment import check_environment, explain_setup_failure
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.training.optimization import resolve_precision

# The other processes wait while the first prepares corpus and targets, which may take hours.
PATIENCE = timedelta(days=2)
DEVICES = ("cpu", "cuda", "mps", "xpu")


def make_accelerator(options: PretrainingOptions, directory: Path) -> Accelerator:
    """Set up accelerate for a run; under ``torchrun`` the processes find each other here.

    Parameters
    ----------
    options : PretrainingOptions
        Precision, device, sharding and loggers.
    directory : Path
        The run's, where loggers write.

    Raises
    ------
    ExLMError
        When a logger is asked for that is not installed, sharding without other processes, or when the environment
        asks for what there is not.
    """
    available = {"tensorboard": is_tensorboard_available(), "wandb": is_wandb_available()}
    for name in options.loggers:
        if not available[name]:
            raise ExLMError(f"--log {name} needs the package {name}: pip install {name}.")
    given = dict(os.environ)  # accelerate adds to it
    check_environment(given)
    AcceleratorState._reset_state()  # noqa: SLF001 - one process may train several models, each in its precision
    try:
        sharding = _sharding() if options.fsdp else None
        accelerator = Accelerator(
            cpu=options.device == "cpu",
            mixed_precision=resolve_precision(options.precision, options.device),
            log_with=list(options.loggers) or None,
            project_config=ProjectConfiguration(project_dir=str(directory), logging_dir=str(directory)),
            fsdp_plugin=sharding,
            step_scheduler_with_optimizer=False,
            # As a plugin, or a variable of the environment would win: we count the batches of a step ourselves.
            gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=1),
            kwargs_handlers=[InitProcessGroupKwargs(timeout=PATIENCE)],
        )
    except Exception as error:  # accelerate and torch raise what they like when the environment is wrong
        AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001 - half made, it would stay so
        raise explain_setup_failure(error, given) from error
    device = accelerator.device
    if device.type not in (("cpu",) if options.device == "cpu" else DEVICES):
        AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001
        raise ExLMError(
            f"--device {options.device} is not the device '{device}' that the environment variable "
            "ACCELERATE_TORCH_DEVICE names; unset it."
        )
    if sharding and accelerator.num_processes == 1:
        raise ExLMError("--fsdp shards over several processes; start them with torchrun --nproc-per-node N.")
    if sharding and accelerator.device.type == "cpu":
        # accelerate shards over GPUs only; torch does so over CPUs too, and this is how the tests see it work.
        PartialState._shared_state["distributed_type"] = DistributedType.FSDP  # noqa: SLF001
        accelerator.state.distributed_type = DistributedType.FSDP
        accelerator.state.fsdp_plugin = sharding
    return accelerator


def _sharding() -> FullyShardedDataParallelPlugin:
    """Every process holds a part of each layer's weights and gathers the layer when its turn comes."""
    return FullyShardedDataParallelPlugin(
        fsdp_version=2,
        auto_wrap_policy="transformer_based_wrap",
        transformer_cls_names_to_wrap=["ExLMEncoderLayer"],
        state_dict_type="SHARDED_STATE_DICT",
        cpu_ram_efficient_loading=False,
    )
