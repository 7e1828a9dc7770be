"""``exlm-chem info``."""

import json
from typing import Annotated, Any

import typer

EXAMPLE = "exlm-chem info --json"


def info(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Print versions, devices and speed for a bug report.

    The speed is that of a matrix product, which is what training and prediction consist of.
    """
    from exlm_chem.machine import devices, multiplication_speed, versions

    report: dict[str, Any] = {"versions": versions(), "devices": devices()}
    processor = ["cpu"] if report["devices"]["torch_threads"] else []  # torch measures it
    usable = [
        *processor,
        *(f"cuda:{i}" for i in range(len(report["devices"]["cuda"]))),
        *["mps"] * report["devices"]["mps"],
    ]
    report["gflops"] = {device: multiplication_speed(device) for device in usable}
    if as_json:
        typer.echo(json.dumps(report, indent=2))
        return
    rows = {name: number or "not installed" for name, number in report["versions"].items()}
    rows |= {name: value for name, value in report["devices"].items() if name not in {"cuda", "mps", "instructions"}}
    rows["instructions"] = _in_words(report["devices"]["instructions"])
    for i, gpu in enumerate(report["devices"]["cuda"]):
        rows[f"cuda:{i}"] = f"{gpu['name']}, {gpu['memory_gb']} GB"
    for device, speed in report["gflops"].items():
        rows[f"speed {device}"] = ", ".join(f"{name} {value:.0f} GFLOP/s" for name, value in speed.items())
    for name, value in rows.items():
        typer.echo(f"{name:<16} {value}")


def _in_words(instructions: dict[str, bool | None]) -> str:
    if None in instructions.values():
        return "not known"
    return ", ".join(f"{name} {'yes' if has else 'no'}" for name, has in instructions.items())
