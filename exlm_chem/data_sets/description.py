"""What finetune would find in somebody's table: the file, its columns, its molecules, and which command fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from exlm_chem.data_sets.advice import Advice, advise
from exlm_chem.data_sets.column_profile import ColumnCollector, ColumnProfile
from exlm_chem.data_sets.molecule_profile import MoleculeCollector, MoleculeProfile
from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.spellings import tidy
from exlm_chem.tables.formats.table import as_text
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader

_MOST_TEXTS: Final = 400_000  # of all columns together
_LEAST_TEXTS: Final = 1000  # of one


@dataclass(frozen=True)
class Description:
    """What is in a table.

    Attributes
    ----------
    file : str
        The table.
    form : dict
        How it is understood; see `MoleculeReader`.
    rows : int
    notes : list of str
        What was guessed about it.
    columns : list of ColumnProfile
    molecules : MoleculeProfile
    advice : Advice
    """

    file: str
    form: dict[str, Any]
    rows: int
    notes: list[str]
    columns: list[ColumnProfile]
    molecules: MoleculeProfile
    advice: Advice

    def to_json(self) -> dict[str, Any]:
        """Give it as dictionaries and lists."""
        return asdict(self)


def describe(
    molecules: Path | Sequence[str],
    reading: ReadOptions | str | None = None,
    labels: LabelOptions | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Description:
    """Say what is in a table, in one pass over its rows and in memory that does not grow with them.

    Parameters
    ----------
    molecules : Path or sequence of str
        See `MoleculeReader`.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    labels : LabelOptions, optional
        How columns of labels are read, where that shall not be found out.
    progress : callable
        Called with the number of rows that have been read.

    Raises
    ------
    ExLMError
        If it cannot be read, or has no rows.

    Examples
    --------
    >>> from exlm_chem.data import data_path
    >>> found = describe(data_path("examples.csv"))
    >>> found.rows, found.molecules.readable, [column.kind for column in found.columns[:2]]
    (29, 24, ['text', 'SMILES'])
    """
    if labels is not None and (labels.relations or labels.transform):
        raise ExLMError("--relation and --transform are for finetune and benchmark; leave them away here")
    with MoleculeReader(molecules, reading) as reader:
        place, names = reader.smiles_index, list(reader.columns)
        most = max(_LEAST_TEXTS, _MOST_TEXTS // len(names))
        others = {index: ColumnCollector(name, most) for index, name in enumerate(names) if index != place}
        collected, empty, count = MoleculeCollector(), 0, 0
        for record in reader:
            has_smiles = bool(tidy(record.smiles))  # without one, finetune does not look at labels either
            cells = {index: as_text(record.cells[index]) if has_smiles else None for index in others}
            texts = [one.add(cells[index], record.line) for index, one in others.items()]
            collected.add(record.smiles, record.line, texts, record.error)
            empty += not has_smiles
            count += 1
            if count % 1000 == 0:
                progress(count)
        name, form, notes, path = reader.name, dict(reader.form), list(reader.notes), reader.path
    if not count:
        raise ExLMError(f"{name} has no rows")
    profiles = {index: collector.profile(Path(name).name, labels) for index, collector in others.items()}
    said = [(at, one) for at, one in enumerate(profiles.values()) if one.kind in ("class", "number")]
    compared = [(at, one.name, one.spelled_missing) for at, one in said if not one.is_count]
    about = collected.profile(compared)
    profiles[place] = ColumnProfile(names[place], "SMILES", count - empty, empty, about.different, about.sampled)
    columns = [profiles[index] for index in range(len(names))]
    described = Description(name, form, count, notes, columns, about, Advice("", []))
    return replace(described, advice=advise(path, columns, about, [labels or LabelOptions(), ReadOptions.of(reading)]))
