"""A map of molecules: like ones lie together, in the colours of a measured or predicted value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.analysis.layout import Layout, lay_out
from exlm_chem.analysis.library import Library, read_library
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.machine import checked_device
from exlm_chem.options import check_options, documented, option
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.tables.columns import find_column
from exlm_chem.tables.names import free_name, unique_names
from exlm_chem.tables.numbers import is_missing, number_in
from exlm_chem.tables.outputs import refuse_input
from exlm_chem.tables.parquet_writer import plain_value
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.results import Summary
from exlm_chem.terms import BackendName, EmbeddingPrecision

MOST_GROUPS: Final = 10
"""Of a column of texts; the rarer ones are one group, "other"."""

_CHUNK: Final = 1000


@documented
@dataclass(frozen=True, kw_only=True)
class MapOptions:
    """How molecules become a map."""

    colour: str | None = option(
        None, "The column, of the file or of --task, that gives the colours.", metavar="NAME", shown="of --task"
    )
    task: str | None = option(
        None, "A predictor that ships, or the directory of one, whose numbers give colours.", short="-t"
    )
    layout: Layout = option(
        "tsne", "What puts molecules into the plane; pca keeps few neighbours together, umap needs umap-learn."
    )
    number: int = option(
        5000, "Most molecules; of a longer file, so many are chosen at random.", short="-n", least=1, most=100_000
    )
    seed: int = option(0, "Fixes which molecules are chosen, and their places.", least=0, most=2**32 - 1)
    device: str = option("auto", "cpu, cuda, mps, or auto for the best there is.")
    backend: BackendName = option("auto", "What the encoder runs on.")
    precision: EmbeddingPrecision = option("fp32", "Of the encoder; see embed.")

    def __post_init__(self) -> None:
        check_options(self)
        checked_device(self.device)


@dataclass(frozen=True)
class Colour:
    """What a column says of each molecule.

    Attributes
    ----------
    name : str
        Of the column.
    values : list of float or None
        Numbers; or for texts the places in `groups`.
    groups : list of str
        The texts, the most frequent first; none for numbers.
    """

    name: str
    values: list[float | None]
    groups: list[str]

    @property
    def ends(self) -> tuple[float, float]:
        """Between which numbers colours differ: all but the two percent at both ends."""
        known = np.array([value for value in self.values if value is not None], float)
        low, high = np.quantile(known, [0.02, 0.98]).tolist()
        return (low, high) if low < high else (float(known.min()), float(known.max()))


@dataclass(frozen=True)
class MoleculeMap:
    """Molecules with their places.

    Attributes
    ----------
    library : Library
        The molecules.
    points : float32 array of shape (molecules, 2)
        Where they are.
    columns : dict of str to list
        The cells of the molecules, those that were predicted last.
    colours : list of Colour
        The columns that can give colours, the chosen one first.
    """

    library: Library
    points: NDArray[np.float32]
    columns: dict[str, list[Any]]
    colours: list[Colour]


def map_molecules(
    molecules: str | Path | Sequence[str],
    encoder: ExLM | str | Path = "exlm-small",
    options: MapOptions | None = None,
    *,
    reading: ReadOptions | str | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> MoleculeMap:
    """Put the molecules of a file, or of what ``exlm-chem embed`` wrote, into a plane.

    Parameters
    ----------
    molecules : str, Path or sequence of str
        See `read_library`.
    encoder : ExLM, str or Path
        The model, or the name or directory to load it from.
    options : MapOptions, optional
        How.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    progress : callable, optional
        Called with the number of molecules embedded so far.

    Raises
    ------
    ExLMError
        If no molecule can be read, or there is no such column.
    """
    options = options or MapOptions()
    predictor = None
    if options.task is not None:
        predictor = Predictor.from_pretrained(options.task, options.device, options.backend, options.precision)
    if not isinstance(encoder, ExLM):
        encoder = ExLM.from_pretrained(encoder, options.device, options.backend, options.precision)
    library = read_library(molecules, reading, encoder, most=options.number, seed=options.seed, progress=progress)
    if not library.rows:
        raise ExLMError(f"{library.name} has no molecule that could be read: {library.summary}")
    names = unique_names(library.columns)
    columns = {name: [row[place] for row in library.rows] for place, name in enumerate(names)}
    predicted = _predictions(library, predictor)
    for name, values in predicted.items():
        columns[free_name(name, columns, "predicted_")] = values
    wanted = options.colour
    if wanted is not None:
        wanted = list(columns)[find_column(list(columns), wanted, library.name)]
    elif predicted:
        wanted = list(columns)[-len(predicted)]
    shown = {name: cells for name, cells in columns.items() if name != names[library.smiles_index] or name == wanted}
    colours = [one for name, cells in shown.items() if (one := _colour(name, cells, asked=name == wanted))]
    colours.sort(key=lambda one: one.name != wanted)
    if options.colour is not None and (not colours or colours[0].name != wanted):
        raise ExLMError(f"column {quoted(str(wanted))} says nothing of these molecules; give another one to --colour")
    points = lay_out(library.vectors, options.layout, options.seed)
    return MoleculeMap(library, points, columns, colours)


def map_file(
    molecules: str | Path | Sequence[str],
    output: str | Path,
    encoder: ExLM | str | Path = "exlm-small",
    options: MapOptions | None = None,
    *,
    reading: ReadOptions | str | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Summary:
    """Draw the molecules of a file as a map.

    Parameters
    ----------
    molecules, encoder, options, reading, progress
        See `map_molecules`.
    output : str or Path
        ``.html`` for a page with structures, or a picture: ``.png``, ``.svg`` or ``.pdf``.

    Returns
    -------
    Summary
        The numbers of rows with and without a place.

    Raises
    ------
    ExLMError
        In one sentence, and without an output file.
    """
    from exlm_chem.analysis.map_page import write_page
    from exlm_chem.analysis.map_picture import draw_map
    from exlm_chem.analysis.picture import check_picture, save_figure

    page = Path(output).suffix.lower() == ".html"
    if not page:
        check_picture(output)
    given = [str(molecules)] if isinstance(molecules, str | Path) else molecules
    refuse_input(output, given[0] if len(given) == 1 else None)
    made = map_molecules(molecules, encoder, options, reading=reading, progress=progress)
    if page:
        write_page(made, output)
    else:
        save_figure(draw_map(made), output)
    return made.library.summary


def _predictions(library: Library, predictor: Predictor | None) -> dict[str, list[Any]]:
    if predictor is None:
        return {}
    smiles = library.smiles
    parts = [predictor.score(smiles[start : start + _CHUNK]) for start in range(0, len(smiles), _CHUNK)]
    return dict(zip(predictor.columns, np.concatenate(parts).T.astype(float).tolist(), strict=True))


def _colour(name: str, cells: Sequence[Any], *, asked: bool) -> Colour | None:
    """Make a colour of a column; none of an empty one, or of one of many texts unless it is asked for."""
    known = [None if is_missing(value) else value for value in map(plain_value, cells)]
    try:
        numbers = [None if value is None else number_in(value) for value in known]
    except ValueError:
        numbers = []
    if len({*numbers} - {None}) > 2:
        return Colour(name, numbers, [])
    texts = [None if value is None else str(value).strip() for value in known]
    counts = Counter(text for text in texts if text is not None)
    if not counts or (not asked and not 1 < len(counts) <= MOST_GROUPS):
        return None
    groups = [text for text, _ in counts.most_common(MOST_GROUPS)]
    place = {text: index for index, text in enumerate(groups)}
    if len(counts) > MOST_GROUPS:
        groups.append("other")
    return Colour(name, [None if text is None else place.get(text, MOST_GROUPS) for text in texts], groups)
