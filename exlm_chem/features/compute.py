"""All blocks of some molecules: each molecule once, RDKit's in processes beside this one where that is worth it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache as once
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from exlm_chem.features.block import MoleculeBlock, RDKitBlock
from exlm_chem.features.processes import killed_on_failure, processors, start_parts
from exlm_chem.smiles.bounds import bounded, is_slow
from exlm_chem.smiles.errors import MoleculeError

Features = dict[str, NDArray[np.float32]]
"""For every block, by its name, the numbers of all molecules: shape (molecules, width)."""

START_SECONDS: Final = 2.0
"""What further processes cost before they compute anything."""

_PART: Final = 50


class FeatureCache:
    """What RDKit computed of the molecules that were seen last, for a run that meets them again.

    Parameters
    ----------
    megabytes : float
        Most memory for the numbers.

    Attributes
    ----------
    seconds : float
        What RDKit has had to do in this run, about: more than one call may be needed to be worth further processes.

    Examples
    --------
    >>> from exlm_chem.features.ecfp import EcfpBlock
    >>> cache = FeatureCache()
    >>> compute_blocks(["CCO", "CCO", "CCN"], [EcfpBlock()], cache=cache)["ecfp"].shape, len(cache)
    ((3, 2048), 2)
    """

    def __init__(self, megabytes: float = 256) -> None:
        self.seconds = 0.0
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
        Where the numbers of RDKit's blocks are looked for first, and kept.

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
    with killed_on_failure():
        return start_blocks(molecules, blocks, processes, cache)()


def start_blocks(
    molecules: Sequence[str | None],
    blocks: Sequence[MoleculeBlock],
    processes: int | None = None,
    cache: FeatureCache | None = None,
) -> Callable[[], Features]:
    """Start what other processes do of `compute_blocks`; what this gives does the rest and waits for them.

    Who leaves without that, because something failed, does so through `killed_on_failure`.

    Examples
    --------
    >>> from exlm_chem.features.ecfp import EcfpBlock
    >>> started = start_blocks(["CCO"], [EcfpBlock(bits=64)])
    >>> started()["ecfp"].shape
    (1, 64)
    """
    place: dict[str, int] = {}
    rows = np.array([place.setdefault(one or "", len(place)) for one in molecules], np.int64)
    found = {block.name: np.full((len(place), block.width), np.nan, np.float32) for block in blocks}
    known = [text for text in place if text]
    missing = {
        block: _from_cache(block, place, found[block.name], cache) for block in blocks if isinstance(block, RDKitBlock)
    }
    by_rdkit = [block for block, texts in missing.items() if texts]
    texts = list(dict.fromkeys(text for block in by_rdkit for text in missing[block]))
    started = _start(texts, by_rdkit, processes, cache)

    def finish() -> Features:
        for block in blocks:
            if not isinstance(block, RDKitBlock) and known:
                found[block.name][[place[text] for text in known]] = block.compute(known)
        for block, values in zip(by_rdkit, started(), strict=True):
            found[block.name][[place[text] for text in texts]] = values
            if cache is not None:
                cache.keep(block.fingerprint, texts, values)
        return {name: values[rows] for name, values in found.items()}

    return once(finish)


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


def _start(
    texts: list[str], blocks: Sequence[RDKitBlock], processes: int | None, cache: FeatureCache | None
) -> Callable[[], list[NDArray[np.float32]]]:
    """Start RDKit in other processes if that is worth it, and give what waits for it."""
    seconds = len(texts) * sum(block.milliseconds for block in blocks) / 1000
    if cache is not None:
        seconds = cache.seconds = cache.seconds + seconds
    if not texts or processes == 1 or (processes is None and (seconds < 2 * START_SECONDS or processors() == 1)):
        return partial(_compute, texts, blocks)
    parts = [texts[start : start + _PART] for start in range(0, len(texts), _PART)]
    started = start_parts(_compute, parts, blocks, processes=processes)
    return lambda: [np.concatenate(values) for values in zip(*started(), strict=True)]


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
