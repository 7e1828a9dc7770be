"""`Predictor`: molecules in, properties out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.embedding.model_input import ModelInput
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.features.block import FeatureBlock, MoleculeBlock
from exlm_chem.features.columns import ColumnsBlock, Encoded, cells_of
from exlm_chem.features.compute import FeatureCache, start_blocks
from exlm_chem.features.processes import killed_on_failure
from exlm_chem.features.registry import make_blocks, read_block
from exlm_chem.heads.head import Head
from exlm_chem.locations import TASK_NAME
from exlm_chem.predictors.directory import read_predictor
from exlm_chem.predictors.remarks import lacking, told
from exlm_chem.predictors.task_file import PredictorTask
from exlm_chem.smiles.containers import index_of, molecules_in
from exlm_chem.smiles.molecule import Molecule
from exlm_chem.storage.records import naming
from exlm_chem.terms import BackendName, EmbeddingPrecision

if TYPE_CHECKING:  # pandas takes a third of a second to load, and only `predict` needs it
    import pandas as pd

    from exlm_chem.predictors.training_molecules import TrainingMolecules

NO_COLUMNS: Final[Mapping[str, Sequence[Any]]] = MappingProxyType({})

_TURN: Final = [threading.Lock()]
if hasattr(os, "register_at_fork"):  # a thread of the parent that holds it is not there in the child to give it back
    os.register_at_fork(after_in_child=lambda: _TURN.__setitem__(0, threading.Lock()))


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one predictor says about some molecules."""

    values: NDArray[np.float32]
    """Shape (molecules, columns); NaN for a molecule that has an error."""
    molecules: list[Molecule]
    """What was read, with the reasons of those without values."""
    features: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """The predictor's blocks of features by their fingerprints, as `compute_blocks` gives them."""

    @property
    def answered(self) -> list[int]:
        """The rows without an error."""
        return [index for index, one in enumerate(self.molecules) if one.error is None]


class Predictor:
    """An encoder, a head and a task.

    Parameters
    ----------
    task : PredictorTask
        What is predicted.
    head : Head
        From blocks of features to outputs.
    encoder : ExLM
        From molecules to vectors; several predictors may share one.
    directory : Path, optional
        Where it was read from, and where its training molecules are.

    Attributes
    ----------
    columns : list of str
        Names of the outputs.
    blocks : list of FeatureBlock
        What the head reads of a row: of its molecule, and perhaps of other columns.
    molecule_blocks : list of MoleculeBlock
        Those of the molecule.
    extra : ColumnsBlock or None
        That of the other columns.

    Examples
    --------
    >>> predictor = Predictor.from_pretrained("bbbp", device="cpu")
    >>> predictor
    Predictor(task='bbbp', kind='classification', columns=['bbbp'], device='cpu')
    >>> float(predictor.predict(["CCO"])["bbbp"][0]) > 0.5
    True
    """

    def __init__(self, task: PredictorTask, head: Head, encoder: ExLM, directory: Path | None = None) -> None:
        with naming(directory / TASK_NAME if directory else f"predictor '{task.name}'"):
            if task.features:
                self.blocks: list[FeatureBlock] = [read_block(spec, encoder) for spec in task.features]
            else:
                self.blocks = [*make_blocks(task.blocks, encoder, task.pooling, task.layer)]
        self.molecule_blocks = [block for block in self.blocks if isinstance(block, MoleculeBlock)]
        self.extra = next((block for block in self.blocks if isinstance(block, ColumnsBlock)), None)
        widths = {block.name: block.width for block in self.blocks}
        for name, width in head.blocks.items():
            if widths.get(name) != width:
                raise ExLMError(
                    f"the head of '{task.name}' reads {width} numbers of block {quoted(name)} and gets "
                    f"{widths.get(name, 0)}: they do not belong together"
                )
        self.task, self.head, self.encoder, self._directory = task, head, encoder, directory
        self.columns = [column.name for column in task.columns]

    def __repr__(self) -> str:
        about = f"task={self.task.name!r}, kind={self.task.kind!r}, columns={self.columns!r}"
        return f"Predictor({about}, device={str(self.encoder.device)!r})"

    @classmethod
    def from_pretrained(
        cls,
        name_or_directory: str | Path,
        device: str = "auto",
        backend: BackendName = "auto",
        precision: EmbeddingPrecision = "fp32",
    ) -> Self:
        """Read a predictor that ships with the package, or a directory.

        Parameters
        ----------
        name_or_directory : str or Path
            See `exlm_chem.locations.locate`.
        device, backend, precision
            See `ExLM.from_pretrained`.

        Raises
        ------
        ExLMError
            If it is missing or broken; the message says what to do.
        """
        directory, task, head = read_predictor(name_or_directory)
        return cls(task, head, ExLM.from_pretrained(directory, device, backend, precision), directory)

    @cached_property
    def training(self) -> TrainingMolecules | None:
        """What is kept of the training part, read when it is asked for."""
        if self._directory is None or self.task.training is None:
            return None
        from exlm_chem.predictors.training_file import read_training

        return read_training(self._directory, self.task.training)

    def predict(self, smiles: Any, extra: Any = None) -> pd.DataFrame:
        """Predict the properties of molecules.

        Parameters
        ----------
        smiles : iterable of str or RDKit Mol
            The molecules, in anything that `molecules_in` takes; a single one is taken as a list of one. The index of
            a pandas Series or table is kept.
        extra : DataFrame or mapping, optional
            The columns that the predictor reads besides the molecules (`PredictorTask.extra_columns`), by their names:
            a cell for each molecule, or one value for all.

        Returns
        -------
        DataFrame
            One row per molecule, in order: the predictor's columns (NaN if there is no answer), ``smiles_used`` if
            the predictor's rule changed a molecule, ``note`` with what was left aside without harm or None, and
            ``error`` with the reason or None.
        """
        import pandas as pd

        index = index_of(smiles)
        texts = molecules_in(smiles)
        prediction = predict_all([self], texts, cells_of(extra, len(texts)))[0]
        table = pd.DataFrame(prediction.values, columns=self.columns, index=index)
        molecules = prediction.molecules
        if any(molecule.changed for molecule in molecules):
            used = [molecule.smiles if molecule.changed else None for molecule in molecules]
            table["smiles_used"] = pd.Series(used, index=table.index, dtype=object)
        for name in ("note", "error"):
            table[name] = pd.Series([getattr(one, name) for one in molecules], index=table.index, dtype=object)
        return table

    def score(self, smiles: Any, extra: Any = None) -> NDArray[np.float32]:
        """Give the numbers alone, for loops that ask often, such as those of generators; threads may share it.

        Parameters
        ----------
        smiles, extra
            See `predict`.

        Returns
        -------
        float32 array of shape (molecules, columns)
            NaN for a molecule that has no answer.
        """
        texts = molecules_in(smiles)
        with _TURN[0]:  # the processes beside this one are shared by all threads
            prediction = predict_all([self], texts, cells_of(extra, len(texts)))[0]
        return prediction.values  # noqa: PD011  (no pandas)


def predict_all(
    predictors: Sequence[Predictor], smiles: Sequence[Any], extra: Mapping[str, Sequence[Any]] = NO_COLUMNS
) -> list[Prediction]:
    """Predict with several predictors, with one pass of each encoder and each block of features.

    Predictors with the same encoder, pooling, layer and standardisation rule share the vectors. A text that occurs
    several times is read once.

    Parameters
    ----------
    predictors : sequence of Predictor
        The predictors.
    smiles : sequence of str, None or RDKit Mol
        The molecules.
    extra : mapping
        Cells of the columns that predictors read besides, by their names.

    Returns
    -------
    list of Prediction
        One per predictor.
    """
    with killed_on_failure():
        return start_predictions(predictors, smiles, extra)()


def start_predictions(
    predictors: Sequence[Predictor],
    smiles: Sequence[Any],
    extra: Mapping[str, Sequence[Any]] = NO_COLUMNS,
    cache: FeatureCache | None = None,
) -> Callable[[], list[Prediction]]:
    """Read molecules and start what other processes compute of `predict_all`; what this gives does the rest.

    `cache` remembers molecules from one call to the next; see also `start_blocks`.
    """
    readings: dict[tuple[str, str], list[ModelInput]] = {}
    known: dict[tuple[str, str], dict[str, Callable[[], NDArray[np.float32]]]] = {}
    finishing = []
    for predictor in predictors:
        encoder, rule = predictor.encoder, predictor.task.standardise
        read = (encoder.fingerprint, rule)
        if read not in readings:
            readings[read], known[read] = encoder.read_all(smiles, rule), {}
        molecules = [one.molecule for one in readings[read]]
        missing = [block for block in predictor.molecule_blocks if block.fingerprint not in known[read]]
        started = start_blocks([one.smiles if one.error is None else None for one in molecules], missing, cache=cache)
        known[read] |= {block.fingerprint: partial(_block_of, started, block.name) for block in missing}
        encoded = None if predictor.extra is None else predictor.extra.encode(extra)
        finishing.append(partial(_finish, predictor, molecules, known[read], encoded))
    return lambda: [finish() for finish in finishing]


def _block_of(started: Callable[[], Mapping[str, NDArray[np.float32]]], name: str) -> NDArray[np.float32]:
    return started()[name]


def _finish(
    predictor: Predictor,
    molecules: list[Molecule],
    known: Mapping[str, Callable[[], NDArray[np.float32]]],
    encoded: Encoded | None,
) -> Prediction:
    """Predict some molecules; `known` gives blocks of features by their fingerprints, `encoded` is what is beside."""
    features = {block.fingerprint: known[block.fingerprint]() for block in predictor.molecule_blocks}
    names = np.array([block.name for block in predictor.molecule_blocks])
    gaps = np.stack([np.isnan(numbers).all(1) for numbers in features.values()], axis=1)
    molecules = [told(one, *lacking(names[gap].tolist(), len(names))) for one, gap in zip(molecules, gaps, strict=True)]
    if encoded is not None and predictor.extra is not None:
        features[predictor.extra.fingerprint] = encoded.numbers
        molecules = list(map(told, molecules, encoded.notes, encoded.errors))
    values = np.full((len(molecules), len(predictor.columns)), np.nan, dtype=np.float32)
    prediction = Prediction(values, molecules, features)
    values[prediction.answered] = predictor.head.predict(_read_by_head(predictor, prediction))
    return prediction


def members_of(predictor: Predictor, prediction: Prediction) -> NDArray[np.float32]:
    """Give what the members of a predictor's head say by themselves, shape (members, molecules, columns)."""
    shape = len(predictor.head.member_shares), len(prediction.molecules), len(predictor.columns)
    said = np.full(shape, np.nan, dtype=np.float32)
    said[:, prediction.answered] = predictor.head.predict_members(_read_by_head(predictor, prediction))
    return said


def _read_by_head(predictor: Predictor, prediction: Prediction) -> dict[str, NDArray[np.float32]]:
    """Give the blocks of the molecules without an error, by their names."""
    rows = prediction.answered
    return {block.name: prediction.features[block.fingerprint][rows] for block in predictor.blocks}
