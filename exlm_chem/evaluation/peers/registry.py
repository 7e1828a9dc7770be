"""The kinds of features that a benchmark compares, by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.evaluation.peers.chemprop import ChempropPeer
from exlm_chem.evaluation.peers.minimol import MinimolPeer
from exlm_chem.evaluation.peers.peer import LearningPeer, Peer
from exlm_chem.features.compute import compute_blocks
from exlm_chem.features.registry import BLOCK_NAMES, make_blocks

if TYPE_CHECKING:
    from exlm_chem.embedding.embedder import ExLM

Features = dict[str, NDArray[np.float32]]

PEERS: Final[dict[str, Callable[[], Peer]]] = {"minimol": MinimolPeer, "chemprop": ChempropPeer}
"""Features of other programs, or those that learn by themselves; ours are the blocks of `exlm_chem.features.registry`.
"""

OURS: Final = "exlm"


def parse_features(text: str) -> tuple[str, ...]:
    """Understand a kind of features: one block, or several with a plus between them.

    Raises
    ------
    ExLMError
        If there is no such block.

    Examples
    --------
    >>> parse_features("exlm+ecfp")
    ('exlm', 'ecfp')
    """
    blocks = tuple(block.strip() for block in text.split("+"))
    for block in blocks:
        if block not in (*BLOCK_NAMES, *PEERS):
            raise ExLMError(f"there are no features {quoted(block)}; use {', '.join((*BLOCK_NAMES, *PEERS))}")
    if len(set(blocks)) < len(blocks):
        raise ExLMError(f"{quoted(text)} names a block twice")
    alone = learning_peer(blocks)
    if alone is not None and len(blocks) > 1:
        raise ExLMError(f"{alone.name} learns from the molecules by itself; use it without +, not {quoted(text)}")
    return blocks


def learning_peer(blocks: Iterable[str]) -> LearningPeer | None:
    """Give the peer among some blocks that takes the place of a head too, if there is one.

    Examples
    --------
    >>> learning_peer(["ecfp", "minimol"]) is None
    True
    """
    for block in blocks:
        peer = PEERS[block]() if block in PEERS else None
        if isinstance(peer, LearningPeer):
            return peer
    return None


def compute_features(names: Sequence[str], smiles: Sequence[str], encoder: ExLM | None) -> Features:
    """Compute blocks of features, ours and those of peers.

    Raises
    ------
    ExLMError
        If a peer is not installed; the message says how it is.
    """
    own = [name for name in names if name not in PEERS]
    features: Features = dict(compute_blocks(smiles, make_blocks(own, encoder))) if own else {}
    for name in names:
        if name in PEERS:
            peer = PEERS[name]()
            try:
                features[name] = peer.compute(smiles)
            except ImportError as error:
                raise ExLMError(
                    f"features {quoted(name)} need another package ({error}): pip install {peer.package}, "
                    "or leave them out"
                ) from None
    return features
