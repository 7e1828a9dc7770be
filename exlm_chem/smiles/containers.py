"""The molecules that somebody passes to a Python function: one list, whatever they came in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

from exlm_chem.errors import ExLMError

_EXPECTED = "molecules are expected as one column"
_ONE = (str, bytes, bytearray, Chem.Mol)


def molecules_in(molecules: Any) -> list[Any]:
    """Make a list of molecules, each a text or an RDKit molecule or whatever stands in their place.

    Parameters
    ----------
    molecules : one molecule, or anything with one dimension
        A list, tuple, iterator, array, Series or Index; an array of shape (n, 1), a table with one column, or a list of
        lists of one molecule each. A single molecule is a list of one.

    Raises
    ------
    ExLMError
        If it is something else: a table with more columns, a dict, a number, a path.

    Examples
    --------
    >>> molecules_in("CCO"), molecules_in([["CCO"], ["CCN"]]), len(molecules_in(np.array([["CCO"], ["CCN"]])))
    (['CCO'], ['CCO', 'CCN'], 2)
    >>> molecules_in(3)
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: molecules are expected as one column, a list for instance, not as int
    """
    if isinstance(molecules, _ONE):
        return [molecules]
    if isinstance(molecules, list | tuple):
        return _flat(molecules)
    names = getattr(molecules, "column_names", getattr(molecules, "columns", None))
    if names is not None and hasattr(molecules, "shape"):  # a table of pandas, polars or Arrow
        return _only_column(molecules, names)
    shape = getattr(molecules, "shape", None)
    if isinstance(shape, tuple):
        if len(shape) == 0:
            return molecules_in(molecules.item())
        if len(shape) > 1 and not (len(shape) == 2 and shape[1] == 1):
            raise ExLMError(f"{_EXPECTED}, not as an array of shape {tuple(map(int, shape))}")
        return _flat(_listed(molecules[:, 0] if len(shape) == 2 else molecules))
    if isinstance(molecules, Mapping | set | frozenset | Path) or not isinstance(molecules, Iterable):
        more = "; read the file first, with pandas for instance" if isinstance(molecules, Path) else ""
        raise ExLMError(f"{_EXPECTED}, a list for instance, not as {type(molecules).__name__}{more}")
    return _flat(_listed(molecules))


def index_of(molecules: Any) -> Any:
    """Give the index of a pandas Series or table, which its results should have too; None of anything else.

    Examples
    --------
    >>> import pandas as pd
    >>> index_of(pd.Series(["CCO"], index=["a"])).tolist(), index_of(["CCO"])
    (['a'], None)
    """
    return molecules.index if hasattr(molecules, "iloc") else None


def _only_column(table: Any, names: Iterable[Any]) -> list[Any]:
    names = list(names)
    if len(names) != 1:
        listed = ", ".join(map(str, names[:6])) + (", ..." if len(names) > 6 else "")
        raise ExLMError(f"{_EXPECTED}, not as a table of {len(names)} ({listed}); pass one: table['smiles']")
    return _flat(_listed(table.iloc[:, 0] if hasattr(table, "iloc") else table[names[0]]))


def _listed(molecules: Any) -> list[Any]:
    if hasattr(molecules, "to_pylist"):  # Arrow, whose own elements are no Python objects
        return list(molecules.to_pylist())
    # list() asks for the length, and then a supplier of RDKit is at its end
    return [one for one in molecules]  # noqa: C416


def _flat(molecules: Sequence[Any]) -> list[Any]:
    """Take the molecules out of lists of one; a list of anything else in the place of a molecule is refused."""
    inner = [isinstance(one, list | tuple) or (isinstance(one, np.ndarray) and one.ndim > 0) for one in molecules]
    if not any(inner):
        return [one.item() if isinstance(one, np.ndarray) else one for one in molecules]
    for row, (one, is_list) in enumerate(zip(molecules, inner, strict=True)):
        if not is_list:
            raise ExLMError(f"{_EXPECTED}; some rows are lists, and row {row} is not")
        if len(one) != 1:
            raise ExLMError(f"{_EXPECTED}, and row {row} holds {len(one)}")
    return _flat([one[0] for one in molecules])
