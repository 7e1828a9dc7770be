"""Times as people write them."""

from __future__ import annotations

import re

from exlm_chem.errors import ExLMError, quoted

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> float:
    """Turn ``90s``, ``30m``, ``1.5h``, ``2d`` or a number of seconds into seconds.

    Raises
    ------
    ExLMError
        When it is no time.

    Examples
    --------
    >>> parse_duration("1.5h")
    5400.0
    """
    match = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)([smhd]?)", text.strip(), re.ASCII)
    if match is None:
        raise ExLMError(f"{quoted(text)} is no time; write it like 90s, 30m or 10h.")
    return float(match[1]) * UNITS[match[2] or "s"]


def readable_duration(seconds: float) -> str:
    """Write seconds in the largest unit that fits.

    Examples
    --------
    >>> readable_duration(90), readable_duration(5400), readable_duration(200_000)
    ('1.5 minutes', '1.5 hours', '2.3 days')
    """
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"
