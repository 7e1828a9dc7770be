"""The variables of the environment that decide where a run computes, checked before any work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from exlm_chem.errors import ExLMError, quoted

LAUNCHED: Final = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What ``torchrun`` sets in every process that it starts."""

COUNTS: Final = {
    **dict.fromkeys(("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK"), (0, 2**20)),
    **dict.fromkeys(("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE"), (1, 2**20)),
    **dict.fromkeys(("LOCAL_RANK", "MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK"), (-1, 2**20)),
    **dict.fromkeys(("MV2_COMM_WORLD_LOCAL_RANK",), (-1, 2**20)),
    **dict.fromkeys(("LOCAL_WORLD_SIZE", "MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE"), (1, 2**20)),
    "MASTER_PORT": (0, 65535),
}
"""Smallest and largest whole number that a variable may be; -1 is accelerate's word for "not launched"."""

DECIDING: Final = ("ACCELERATE_", "FSDP_", "NCCL_", "FORK_LAUNCHED", *LAUNCHED)
"""How the names of the variables begin that accelerate obeys."""


def check_environment(variables: Mapping[str, str]) -> None:
    """Refuse variables that cannot be obeyed.

    Parameters
    ----------
    variables : mapping of str to str
        The environment.

    Raises
    ------
    ExLMError
        Names the variable, its value and what to do.

    Examples
    --------
    >>> check_environment({"LOCAL_RANK": "first"})
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: the environment variable LOCAL_RANK is 'first', which is no whole number ...
    """
    numbers = {name: _whole(name, variables[name], *COUNTS[name]) for name in COUNTS if variables.get(name)}
    size = numbers.get("WORLD_SIZE", 1)
    launched = "WORLD_SIZE" if size > 1 else "LOCAL_RANK" if numbers.get("LOCAL_RANK", -1) >= 0 else None
    if launched and (missing := [name for name in LAUNCHED if not variables.get(name)]):
        raise ExLMError(
            f"the environment variable {launched} is {numbers[launched]}, as if torchrun had started this process, but "
            f"{missing[0]} is not set; use torchrun, or unset {launched}."
        )
    if numbers.get("RANK", 0) >= size:
        raise ExLMError(
            f"the environment variable RANK is {numbers['RANK']}, but WORLD_SIZE is {size}; start the processes with "
            "torchrun, or unset both."
        )


def explain_setup_failure(error: Exception, variables: Mapping[str, str]) -> ExLMError:
    """Turn what accelerate raises while it starts into a sentence that names the variables it may have read.

    Examples
    --------
    >>> error = ValueError("invalid truth value maybe")
    >>> print(explain_setup_failure(error, {"ACCELERATE_USE_CPU": "maybe", "HOME": "/root"}))
    the run cannot be set up (invalid truth value maybe): the environment variable ACCELERATE_USE_CPU is 'maybe'; ...
    """
    read = {name: value for name, value in variables.items() if name.startswith(DECIDING) and value}
    guilty = {name: value for name, value in read.items() if value.lower() in str(error).lower()} or read
    listed = ", ".join(f"{name} is {quoted(value)}" for name, value in sorted(guilty.items())[:3])
    where = f": the environment variable {listed}; correct or unset it" if guilty else ""
    why = (str(error).splitlines() or [""])[0].strip().rstrip(".") or type(error).__name__
    return ExLMError(f"the run cannot be set up ({why}){where}.")


def _whole(name: str, text: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        wanted = f"which is no whole number from {least} to {most}"
        raise ExLMError(f"the environment variable {name} is {quoted(text)}, {wanted}; correct or unset it.")
    return number
