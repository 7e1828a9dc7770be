"""Names of columns that are still free."""

from __future__ import annotations

from collections.abc import Container, Iterable
from itertools import chain, count


def free_name(name: str, taken: Container[str], prefix: str = "") -> str:
    """Give a name, with a prefix if it is taken, and with a number if that is taken too.

    Parameters
    ----------
    name : str
        What a column shall be called.
    taken : collection of str
        Names of other columns.
    prefix : str
        What stands before a name that is taken.

    Examples
    --------
    >>> free_name("error", []), free_name("error", ["error"], "exlm_"), free_name("id", ["id", "id_2"])
    ('error', 'exlm_error', 'id_3')
    """
    wanted = prefix + name
    names = chain([name, wanted], (f"{wanted}_{number}" for number in count(2)))
    return next(one for one in names if one not in taken)


def unique_names(names: Iterable[str]) -> list[str]:
    """Number the second and later occurrences of a name.

    Examples
    --------
    >>> unique_names(["id", "id", "id_2"])
    ['id', 'id_2', 'id_2_2']
    """
    unique: dict[str, None] = {}
    for name in names:
        unique[free_name(name, unique)] = None
    return list(unique)
