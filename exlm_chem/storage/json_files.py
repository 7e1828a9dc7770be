"""JSON files that every program can read."""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any, Final

from exlm_chem.errors import ExLMError
from exlm_chem.storage.files import reason_of, write_text

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def read_json(path: str | os.PathLike[str], remedy: str = "restore it from a copy") -> dict[str, Any]:
    """Read a JSON object; numbers that are none (NaN, infinite) are None.

    Parameters
    ----------
    path : path
        The file.
    remedy : str
        What the user can do about a broken file, the end of the message.

    Raises
    ------
    ExLMError
        If it is not there, or no JSON object.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "config.json"
    ...     write_json(path, {"width": 8, "loss": float("nan")})
    ...     read_json(path)
    {'width': 8, 'loss': None}
    """
    path = Path(path)
    if not path.is_file():  # a pipe would be waited for
        raise ExLMError(f"there is no file {path}; {remedy}")
    try:
        content = json.loads(
            path.read_text(encoding="utf-8-sig"), parse_constant=lambda _: None, parse_float=_finite_or_none
        )
    except OSError as error:
        raise ExLMError(f"{path} cannot be read: {reason_of(error)}") from error
    except RecursionError:
        raise ExLMError(f"{path} is broken: it is nested too deeply; {remedy}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ExLMError(f"{path} is broken: it is no valid JSON ({error.msg}: {where}); {remedy}") from None
    except ValueError as error:  # bytes that are no UTF-8, a number of ten thousand digits
        raise ExLMError(f"{path} is broken: it is no valid JSON ({str(error).partition(';')[0]}); {remedy}") from None
    if not isinstance(content, dict):
        raise ExLMError(f"{path} is broken: it holds no JSON object; {remedy}")
    return content


def write_json(path: str | os.PathLike[str], content: Any, indent: int | None = 2) -> None:
    r"""Write JSON as `json_text` makes it, in a file that is there as a whole or not at all.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(Path(folder) / "run.json", {"best": float("inf")}, indent=None)
    ...     (Path(folder) / "run.json").read_text()
    '{"best": null}\n'
    """
    write_text(path, json_text(content, indent) + "\n")


def json_text(content: Any, indent: int | None = None) -> str:
    r"""Write JSON: null for what is no number, never -0.0, and escapes for bytes that are no UTF-8.

    Examples
    --------
    >>> print(json_text([float("nan"), -0.0, "é", "\udcff"]))
    [null, 0.0, "é", "\udcff"]
    """
    text = json.dumps(_plain(content), indent=indent, ensure_ascii=False, allow_nan=False, default=str)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _plain(value: Any) -> Any:
    """Give what JSON knows: dictionaries with texts for keys, lists, texts, finite numbers, None."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value + 0.0 if math.isfinite(value) else None  # -0.0 + 0.0 is 0.0
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy and torch
        return _plain(value.tolist())
    return str(value)


def _finite_or_none(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None
