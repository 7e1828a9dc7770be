"""The blocks by their names: made for a run, described in a predictor's directory, and made again from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.features.block import FeatureBlock, MoleculeBlock, RDKitBlock
from exlm_chem.features.columns import ColumnsBlock
from exlm_chem.features.descriptors import DescriptorBlock
from exlm_chem.features.ecfp import EcfpBlock
from exlm_chem.features.exlm import ExlmBlock
from exlm_chem.storage.records import Between, Sha256, check_fields
from exlm_chem.terms import Pooling

if TYPE_CHECKING:
    from exlm_chem.embedding.embedder import ExLM

RDKIT_BLOCKS: Final[dict[str, Callable[..., RDKitBlock]]] = {"ecfp": EcfpBlock, "descriptors": DescriptorBlock}
"""Blocks that need no encoder."""

DEFAULTS: Final[dict[str, dict[str, Any]]] = {"ecfp": {"counts": True}, "descriptors": {"full": True}}
"""Settings of blocks as features, where they are not those of pretraining's objectives."""

BLOCK_NAMES: Final = ("exlm", *RDKIT_BLOCKS)
"""All blocks that follow from the molecule; `exlm_chem.features.columns` is made from a user's table."""


@dataclass(frozen=True, slots=True)
class BlockSpec:
    """What a directory says of a block whose numbers a head was fitted on."""

    name: str
    width: Annotated[int, Between(1, 2**20)]
    fingerprint: Sha256
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fields(self)


def block_spec(block: FeatureBlock) -> BlockSpec:
    """Describe a block, for `read_block`.

    Examples
    --------
    >>> block_spec(EcfpBlock(counts=True)).settings
    {'radius': 2, 'bits': 2048, 'counts': True}
    """
    return BlockSpec(block.name, block.width, block.fingerprint, block.settings)


def make_blocks(
    names: Sequence[str], encoder: ExLM | None = None, pooling: Pooling = "mean", layer: int = -1
) -> list[MoleculeBlock]:
    """Make blocks by their names.

    Parameters
    ----------
    names : sequence of str
        Of `BLOCK_NAMES`, each once.
    encoder : ExLM, optional
        For the block ``exlm``.
    pooling : {"mean", "mean+middle", "mean+max", "first", "states"}
        How the encoder makes one vector of a molecule.
    layer : int
        Of which of its layers; see `ExLM.embed`.

    Raises
    ------
    ExLMError
        If there is no such block or layer, or the encoder is missing.

    Examples
    --------
    >>> make_blocks(["ecfp", "descriptors"])
    [EcfpBlock(radius=2, bits=2048, counts=True, width=2048), DescriptorBlock(full=True, width=217)]
    """
    if not names or len(set(names)) < len(names):
        raise ExLMError(f"features must be one or more of {', '.join(BLOCK_NAMES)}, each once")
    return [_made(name, DEFAULTS.get(name, {}), encoder, pooling, layer) for name in names]


def read_block(spec: BlockSpec, encoder: ExLM | None = None) -> FeatureBlock:
    """Make the block that a directory describes.

    Raises
    ------
    ExLMError
        If this version of ExLM-chem has no such block, or would compute other numbers.

    Examples
    --------
    >>> read_block(block_spec(EcfpBlock(bits=64)))
    EcfpBlock(radius=2, bits=64, counts=False, width=64)
    """
    pooling, layer = spec.settings.get("pooling", "mean"), spec.settings.get("layer", -1)
    if pooling not in get_args(Pooling):
        known = ", ".join(get_args(Pooling))
        raise ExLMError(f"the pooling of block {quoted(spec.name)} must be one of {known}, not {quoted(pooling)}")
    if not isinstance(layer, int) or isinstance(layer, bool):
        raise ExLMError(f"the layer of block {quoted(spec.name)} must be a whole number, not {quoted(layer)}")
    block: FeatureBlock
    try:
        if spec.name == ColumnsBlock.name:
            block = ColumnsBlock.from_settings(spec.settings)
        else:
            block = _made(spec.name, {} if spec.name == "exlm" else spec.settings, encoder, pooling, layer)
    except (TypeError, ValueError, OverflowError):
        raise ExLMError(f"the settings of block {quoted(spec.name)} are none that it has") from None
    if (block.width, block.fingerprint) != (spec.width, spec.fingerprint):
        raise ExLMError(
            f"block {quoted(spec.name)} gives other numbers here than those that the head was fitted on; "
            "use the version of ExLM-chem, and the encoder, that it was made with"
        )
    return block


def _made(name: str, settings: dict[str, Any], encoder: ExLM | None, pooling: Pooling, layer: int) -> MoleculeBlock:
    if name == "exlm":
        if encoder is None:
            raise ExLMError("block 'exlm' needs an encoder; name a model")
        return ExlmBlock(encoder, pooling, layer)
    if name not in RDKIT_BLOCKS:
        raise ExLMError(f"there is no block of features {quoted(name)}; use {', '.join(BLOCK_NAMES)}")
    return RDKIT_BLOCKS[name](**settings)
