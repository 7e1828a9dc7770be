"""What a run depended on besides its input: versions, devices, and how fast the processor multiplies matrices."""

import contextlib
import ctypes
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from exlm_chem import __version__
from exlm_chem.errors import ExLMError, quoted

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of glibc's malloc.h

PACKAGES = (
    "torch",
    "rdkit",
    "numpy",
    "pandas",
    "scikit-learn",
    "safetensors",
    "accelerate",
    "selfies",
    "typer",
    "deepchem",
    "transformers",
    "pyarrow",
)


def versions() -> dict[str, str | None]:
    """Give the versions of this package, Python and the libraries, ``None`` for one that is not installed.

    Nothing is imported for it, so it costs milliseconds.

    Examples
    --------
    >>> list(versions())[:3]
    ['exlm-chem', 'python', 'torch']
    """
    found: dict[str, str | None] = {"exlm-chem": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def devices() -> dict[str, Any]:
    """Give the platform, processors, memory and accelerators that torch can use.

    Examples
    --------
    >>> devices()["cpus"] >= 1
    True
    """
    import psutil

    found = {
        "platform": platform.platform(),
        "processor": _processor_name(),
        "instructions": instructions(),
        "cpus": os.cpu_count(),
        "torch_threads": None,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "cuda": [],
        "mps": False,
    }
    try:
        import torch
    except ModuleNotFoundError:
        return found
    gpus = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    found["torch_threads"] = torch.get_num_threads()
    found["cuda"] = [{"name": gpu.name, "memory_gb": round(gpu.total_memory / 1e9, 1)} for gpu in gpus]
    found["mps"] = torch.backends.mps.is_available()
    return found


def checked_device(name: str) -> str:
    """Give back the name of a device that molecules can be computed on, as torch calls it, or "auto".

    Whether there is one is not looked at.

    Raises
    ------
    ExLMError
        If it is another name.

    Examples
    --------
    >>> checked_device("cuda:1")
    'cuda:1'
    """
    if not re.fullmatch(r"auto|cpu|mps|(cuda|xpu)(:[0-9]{1,3})?", name):
        raise ExLMError(f"there is no device {quoted(name)}; choose auto, cpu, mps, cuda, or one of several: cuda:1")
    return name


INSTRUCTIONS = {
    "bf16": ("avx512_bf16", "amx_bf16", "bf16", "hw.optional.arm.FEAT_BF16"),
    "amx": ("amx_tile", "hw.optional.amx_version"),
    "vnni": ("avx512_vnni", "avx_vnni"),
}
"""What makes matrix products of low precision fast, and what systems call it."""


def instructions() -> dict[str, bool | None]:
    """Say which instructions for matrix products of low precision the processor has, None where that is not known.

    Examples
    --------
    >>> list(instructions())
    ['bf16', 'amx', 'vnni']
    """
    flags = _processor_flags()
    return {name: None if flags is None else not flags.isdisjoint(words) for name, words in INSTRUCTIONS.items()}


def _processor_flags() -> frozenset[str] | None:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.lower().startswith(("flags", "features")):  # x86, ARM
                return frozenset(line.partition(":")[2].split())
    if sys.platform == "darwin":
        listed = subprocess.run(["/usr/sbin/sysctl", "hw.optional"], capture_output=True, text=True, check=False)
        return frozenset(line.partition(":")[0] for line in listed.stdout.splitlines() if not line.endswith(": 0"))
    return None


def _processor_name() -> str:
    # platform.processor() is empty on most Linux systems.
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def keep_memory() -> None:
    """Keep memory that is free for reuse, until `release_memory`.

    Otherwise the C library of Linux gives the memory of large tensors back to the system after every step of training
    and asks for it anew in the next, page by page: up to a sixth of the time.

    Examples
    --------
    >>> keep_memory()
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(_MMAP_THRESHOLD, 1 << 30)
            libc.mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)


def release_memory() -> None:
    """Give memory that is free back to the system.

    Where sizes change from batch to batch, little of what was freed fits again, and a long run would grow to several
    times what it needs.

    Examples
    --------
    >>> release_memory()
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def processor_multiplies_bfloat16() -> bool:
    """Say whether torch has fast products in bfloat16 for the processor (by oneDNN), instead of emulating them.

    Examples
    --------
    >>> processor_multiplies_bfloat16() in (True, False)
    True
    """
    import torch

    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001


def multiplication_speed(
    device: str = "cpu", size: int = 1024, seconds: float = 0.5, precisions: Sequence[str] = ("fp32", "bf16")
) -> dict[str, float]:
    """Measure how many GFLOP/s a product of two square matrices reaches in each precision.

    Parameters
    ----------
    device : str
        A torch device.
    size : int
        Most rows and columns of the matrices; fewer where one product would take longer than `seconds`, as it does in
        bf16 on a processor without instructions for it.
    seconds : float
        How long to measure each precision.
    precisions : sequence of str
        Of "fp32", "bf16" and "fp16".

    Returns
    -------
    dict
        GFLOP/s by precision.

    Examples
    --------
    >>> speed = multiplication_speed(size=64, seconds=0.01)
    >>> sorted(speed), all(value > 0 for value in speed.values())
    (['bf16', 'fp32'], True)
    """
    import torch

    def product_seconds(rows: int, dtype: torch.dtype, least: float = 0.0) -> float:
        # a generator of its own: how many numbers are drawn depends on the clock, and a run shall not
        generator = torch.Generator(device).manual_seed(0)
        left = torch.randn(rows, rows, device=device, generator=generator).to(dtype)
        (left @ left).sum().item()  # the first product sets up the kernels
        done, start = 0, time.perf_counter()
        while not done or time.perf_counter() - start < least:
            (left @ left)[0, 0].item()  # waits for a GPU to finish
            done += 1
        return (time.perf_counter() - start) / done

    dtypes, result = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}, {}
    for name in precisions:
        rows = min(size, 64)
        # a product of twice as many rows takes eight times as long
        while rows < size and 8 * product_seconds(rows, dtypes[name]) < seconds:
            rows = min(2 * rows, size)
        result[name] = round(2 * rows**3 / product_seconds(rows, dtypes[name], seconds) / 1e9, 1)
    return result
