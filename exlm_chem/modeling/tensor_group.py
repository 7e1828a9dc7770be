"""Tensors that travel together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class TensorGroup:
    """A dataclass of tensors, of other groups, and of dictionaries of tensors; anything else in it stays as it is.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Pair(TensorGroup):
    ...     left: Tensor
    ...     name: str
    >>> Pair(torch.zeros(2), "zeros").to(torch.device("cpu"))
    Pair(left=tensor([0., 0.]), name='zeros')
    """

    def to(self, device: torch.device) -> Self:
        """Copy to a device, without waiting for the copy where the memory is pinned."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Self:
        """Copy to memory that a GPU can read by itself; torch's DataLoader calls this."""
        return self._map(Tensor.pin_memory)

    def _map(self, function: Callable[[Tensor], Tensor]) -> Self:
        def apply(value: Any) -> Any:
            if isinstance(value, Tensor):
                return function(value)
            if isinstance(value, TensorGroup):
                return value._map(function)  # noqa: SLF001
            return {key: function(item) for key, item in value.items()} if isinstance(value, dict) else value

        return replace(self, **{field.name: apply(getattr(self, field.name)) for field in fields(self)})
