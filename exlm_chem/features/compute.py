"""All blocks of some molecules: each molecule once, on several processors where that is worth it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from exlm_chem.features.block import MoleculeBlock, RDKitBlock
from exlm_chem.smiles.bounds import bounded, is_slow
from exlm_chem.smiles.errors import MoleculeError

Features = dict[str, NDArray[np.float32]]
"""For every block, by its name, the numbers of all molecules: shape (molecules, width)."""

START_SECONDS: Final = 2.0
"""What further processes cost before they compute anything."""

_CHUNK: Final = 250


class FeatureCache:
    """The numbers of the molecules that were seen last, for a run that meets them again.

    Parameters
    ----------
    megabytes : float
        Most memory for the numbers.

    Examples
    --------
    >>> from exlm_chem.features.ecfp import EcfpBlock
    >>> cache = FeatureCache()
    >>> compute_blocks(["CCO", "CCO", "CCN"], [EcfpBlock()], cache=cache)["ecfp"].shape, len(cache)
    ((3, 2048), 2)
    """

    def __init__(self, megabytes: float = 256) -> None:
        self._room = megabytes * 1e6
        self._rows: OrderedDict[tuple[str, str], NDArray[np.float32]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, block: str, molecule: str) -> NDArray[np.float32] | None:
        """Give the numbers of a molecule, if they are there; `block` is the block's fingerprint."""
        row = self._rows.get((block, molecule))
        if row is not None:
            self._rows.move_to_end((block, molecule))
        return row

    def keep(self, block: str, molecules: Sequence[str], values: NDArray[np.float32]) -> None:
        """Keep the numbers of some molecules in the place of those that were not asked for the longest."""
        for molecule, row in zip(molecules, values, strict=True):
            old = self._rows.pop((block, molecule), row[:0])
            self._rows[block, molecule] = row.copy()
            self._room += old.nbytes - row.nbytes
        while self._room < 0:
            self._room += self._rows.popitem(last=False)[1].nbytes


def compute_blocks(
    molecules: Sequence[str | None],
    blocks: Sequence[MoleculeBlock],
    processes: int | None = None,
    cache: FeatureCache | None = None,
) -> Features:
    """Compute the numbers of some molecules.

    Parameters
    ----------
    molecules : sequence of str or None
        See `MoleculeBlock.compute`. One that occurs several times is computed once.
    blocks : sequence of MoleculeBlock
        The blocks.
    processes : int, optional
        For RDKit; by default all processors if there is work enough for them, else only this one.
    cache : FeatureCache, optional
        Where numbers are looked for first, and kept.

    Returns
    -------
    dict
        For every block, by its name, a float32 array of shape (molecules, width). A molecule that keeps RDKit busy for
        too long gets NaN, as one that could not be read.

    Examples
    --------
    >>> from exlm_chem.features.ecfp import EcfpBlock
    >>> features = compute_blocks(["CCO", None], [EcfpBlock(counts=True)])
    >>> features["ecfp"].sum(1)
    array([ 6., nan], dtype=float32)
    """
    place: dict[str, int] = {}
    rows = np.array([place.setdefault(one or "", len(place)) for one in molecules], np.int64)
    found = {block.name: np.full((len(place), block.width), np.nan, np.float32) for block in blocks}
    missing = {block.name: _from_cache(block, place, found[block.name], cache) for block in blocks}
    by_rdkit = [block for block in blocks if isinstance(block, RDKitBlock) and missing[block.name]]
    texts = list(dict.fromkeys(text for block in by_rdkit for text in missing[block.name]))
    computed: dict[MoleculeBlock, NDArray[np.float32]] = (
        dict(zip(by_rdkit, _by_rdkit(texts, by_rdkit, processes), strict=True)) if texts else {}
    )
    for block in blocks:
        if not missing[block.name]:
            continue
        wanted = texts if block in computed else missing[block.name]
        values = computed[block] if block in computed else block.compute(wanted)
        found[block.name][[place[text] for text in wanted]] = values
        if cache is not None:
            cache.keep(block.fingerprint, wanted, values)
    return {name: values[rows] for name, values in found.items()}


def _from_cache(
    block: MoleculeBlock, place: dict[str, int], values: NDArray[np.float32], cache: FeatureCache | None
) -> list[str]:
    """Fill in what is known, and give the molecules that are not."""
    missing = []
    fingerprint = block.fingerprint if cache is not None else ""
    for text, index in place.items():
        row = cache.find(fingerprint, text) if cache is not None else None
        if row is not None:
            values[index] = row
        elif text:
            missing.append(text)
    return missing


def _by_rdkit(texts: list[str], blocks: Sequence[RDKitBlock], processes: int | None) -> list[NDArray[np.float32]]:
    seconds = len(texts) * sum(block.milliseconds for block in blocks) / 1000
    if processes == 1 or (processes is None and seconds < 2 * START_SECONDS):
        return _compute(texts, blocks)
    # Not `multiprocessing`, whose workers would run the user's script once more.
    from sklearn.utils.parallel import Parallel, delayed

    chunks = [texts[start : start + _CHUNK] for start in range(0, len(texts), _CHUNK)]
    parts = Parallel(n_jobs=processes or -1)(delayed(_compute)(chunk, blocks) for chunk in chunks)
    return [np.concatenate(values) for values in zip(*parts, strict=True)]


def _compute(texts: Sequence[str], blocks: Sequence[RDKitBlock]) -> list[NDArray[np.float32]]:
    """Compute all blocks of some texts; RDKit reads each text once."""
    slow = [is_slow(text) for text in texts]
    with rdBase.BlockLogs():
        read = [None if later else Chem.MolFromSmiles(text) for text, later in zip(texts, slow, strict=True)]
    values = [block.compute(read) for block in blocks]
    for index in np.flatnonzero(slow).tolist():
        for block, array in zip(blocks, values, strict=True):
            with suppress(MoleculeError):
                array[index] = bounded(_numbers, texts[index], block.name, block.settings)
    return values


def _numbers(text: str, name: str, settings: dict[str, object]) -> list[float]:
    """Compute one block of a molecule that RDKit may need too long for, in the process that may be ended."""
    from exlm_chem.features.registry import RDKIT_BLOCKS

    values: list[float] = RDKIT_BLOCKS[name](**settings).compute([text])[0].tolist()
    return values
