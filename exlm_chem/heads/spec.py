"""What a directory says of a head, besides its arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from exlm_chem.storage.records import Between, Sha256, check_fields
from exlm_chem.terms import Kind


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """What a directory says of a head, besides its arrays."""

    name: str
    kind: Kind
    columns: Annotated[int, Between(1, 2**20)]
    blocks: dict[str, Annotated[int, Between(1, 2**24)]]
    """The blocks that it reads, in order, and the width of each."""
    files: dict[str, Sha256] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)
    """What was chosen while it was fitted, for the reader of the card."""
    details: dict[str, Any] = field(default_factory=dict)
    """What it needs besides its arrays."""
    members: list[dict[str, Any]] = field(default_factory=list)
    """Of a head made of heads: what is said of each; their arrays are in the one file."""

    def __post_init__(self) -> None:
        check_fields(self)

    def paths(self, directory: Path) -> dict[Path, str]:
        """Give all files of the head, with their sha256."""
        return {directory / Path(name).name: digest for name, digest in self.files.items()}
