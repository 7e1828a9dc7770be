"""What is known of the public tables: the tasks of the registry, and which of them are here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from exlm_chem import locations
from exlm_chem.data_sets.fetching import deepchem_folder, is_changed
from exlm_chem.predictors.registry import registered_tasks
from exlm_chem.predictors.task import Task
from exlm_chem.terms import Kind

_ENDINGS = (".csv.gz", ".csv", ".parquet", ".tsv", ".tsv.gz", ".csv.zst")


@dataclass(frozen=True)
class KnownTable:
    """A line of the list.

    Attributes
    ----------
    name, title : str
        Of the task.
    kind : {"classification", "regression"}
    outputs : int or None
        Labels of a molecule; None if they are the columns of the table.
    molecules, rows : int or None
        Different molecules that can be read, and rows.
    metric : str or None
        What predictors are judged by.
    licence, source, address : str
        As far as it is known.
    here : str or None
        The file of it that was found.
    changed : bool
        Whether that is not what was fetched any more.
    predictor : bool
        Whether a predictor for it ships.
    """

    name: str
    title: str
    kind: Kind
    outputs: int | None
    molecules: int | None
    rows: int | None
    metric: str | None
    licence: str
    source: str
    address: str
    here: str | None
    changed: bool
    predictor: bool


def known_tables(folder: str | Path = ".", task: Task | None = None) -> list[KnownTable]:
    """List the tables of the registry.

    Parameters
    ----------
    folder : path
        Where tables that are here may be, besides DeepChem's folder: as ``NAME.csv.gz`` or the like.
    task : Task, optional
        The only one that is looked for; all of the registry by default.

    Examples
    --------
    >>> [one.name for one in known_tables() if one.kind == "regression"]
    ['esol', 'freesolv', 'lipophilicity']
    """
    ship = set(locations.available())
    tasks = registered_tasks().values() if task is None else [task]
    return [_known(one, Path(folder), has_predictor=one.name in ship) for one in tasks]


def _known(task: Task, folder: Path, *, has_predictor: bool) -> KnownTable:
    table = task.table
    places = [folder / f"{task.name}{ending}" for ending in _ENDINGS]
    if table is not None:
        places.append(deepchem_folder() / table.address.rpartition("/")[2])
    here = next((place for place in places if place.is_file()), None)
    return KnownTable(
        name=task.name,
        title=task.title,
        kind=task.kind,
        outputs=len(task.columns) or None,
        molecules=None if table is None else table.molecules,
        rows=None if table is None else table.rows,
        metric=task.metric,
        licence=task.licence,
        source=task.source,
        address="" if table is None else table.address,
        here=None if here is None else str(here),
        changed=here is not None and is_changed(here),
        predictor=has_predictor,
    )
