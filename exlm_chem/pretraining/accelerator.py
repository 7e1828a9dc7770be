"""The engine: accelerate, set up for one CPU, one GPU, several of them, or several machines."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from accelerate import Accelerator, DistributedType, FullyShardedDataParallelPlugin
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import InitProcessGroupKwargs, ProjectConfiguration, is_tensorboard_available, is_wandb_available

from exlm_chem.errors import ExLMError
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.training.optimization import resolve_precision

# The other processes wait while the first prepares corpus and targets, which may take hours.
PATIENCE = timedelta(days=2)


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
        When a logger is asked for that is not installed, or sharding without other processes.
    """
    available = {"tensorboard": is_tensorboard_available(), "wandb": is_wandb_available()}
    for name in options.loggers:
        if not available[name]:
            raise ExLMError(f"--log {name} needs the package {name}: pip install {name}.")
    AcceleratorState._reset_state()  # noqa: SLF001 - one process may train several models, each in its precision
    sharding = _sharding() if options.fsdp else None
    accelerator = Accelerator(
        cpu=options.device == "cpu",
        mixed_precision=resolve_precision(options.precision, options.device),
        log_with=list(options.loggers) or None,
        project_config=ProjectConfiguration(project_dir=str(directory), logging_dir=str(directory)),
        fsdp_plugin=sharding,
        step_scheduler_with_optimizer=False,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=PATIENCE)],
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
