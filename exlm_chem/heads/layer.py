"""Head "layer": what was trained together with an encoder, or is to be: one linear layer, or two, on its vectors.

The only head of the formats before 3 of predictor directories, whose file it reads.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np

from exlm_chem.errors import ExLMError
from exlm_chem.heads.arrays import PLAIN_NAME, Arrays, described, read_arrays, take
from exlm_chem.heads.examples import Examples, Features, FloatArray
from exlm_chem.heads.head import Head
from exlm_chem.heads.spec import HeadSpec
from exlm_chem.terms import Kind

if TYPE_CHECKING:  # torch
    from exlm_chem.heads.property_head import PropertyHead

BLOCK: Final = "exlm"

_NAMES: Final = {"label_mean": "label.mean", "label_scale": "label.scale"}
"""What arrays of all heads were called before format 3."""


class LayerHead(Head):
    """A `PropertyHead` whose training is over; it is made by `of`, or read.

    Examples
    --------
    >>> from exlm_chem.heads.property_head import PropertyHead
    >>> head = LayerHead.of(PropertyHead(4, 2), "regression")
    >>> head.predict({"exlm": np.zeros((3, 4), np.float32)}).shape
    (3, 2)
    """

    name: ClassVar[str] = "layer"
    _layers: Arrays

    @classmethod
    def of(cls, trained: PropertyHead, kind: Kind, choices: dict[str, Any] | None = None) -> Self:
        """Take the numbers of a module of torch."""
        head = cls()
        head.kind, head.columns, head.choices, head.settings = kind, trained.out_features, choices or {}, {}
        head.blocks = {BLOCK: trained.in_features}
        arrays = {name: values.detach().cpu().numpy() for name, values in trained.state_dict().items()}
        head._mean, head._scale = (arrays.pop(name).astype(np.float64) for name in _NAMES)
        head._layers = arrays
        return head

    def fit_columns(self, examples: Examples) -> None:  # noqa: ARG002  (it learns nothing here)
        """Refuse: it is trained with an encoder."""
        raise ExLMError("head 'layer' is made by --method full; use linear")

    def outputs(self, features: Features) -> FloatArray:
        """See `Head`."""
        layers = {name: values.astype(np.float64) for name, values in self._layers.items()}
        hidden = (features[BLOCK].astype(np.float64) - layers["feature_mean"]) / layers["feature_scale"]
        if "dense.weight" in layers:
            hidden = np.tanh(hidden @ layers["dense.weight"].T + layers["dense.bias"])
        outputs: FloatArray = hidden @ layers["out_proj.weight"].T + layers["out_proj.bias"]
        return outputs

    def arrays(self) -> Arrays:
        """See `Head`."""
        return self._layers

    def restore(self, arrays: Arrays) -> None:
        """See `Head`."""
        width, columns = self.blocks[BLOCK], self.columns
        hidden = width
        self._layers = {name: take(arrays, name, (width,)) for name in ("feature_mean", "feature_scale")}
        if "dense.weight" in arrays:
            hidden = len(take(arrays, "dense.weight", (None, width)))
            self._layers["dense.weight"] = arrays["dense.weight"]
            self._layers["dense.bias"] = take(arrays, "dense.bias", (hidden,))
        self._layers["out_proj.weight"] = take(arrays, "out_proj.weight", (columns, hidden))
        self._layers["out_proj.bias"] = take(arrays, "out_proj.bias", (columns,))
        if not (self._layers["feature_scale"] > 0).all():
            raise ExLMError("a scale is 0")

    @classmethod
    def load(cls, spec: HeadSpec, directory: Path) -> Self:
        """See `Head`; the file of older formats too, which is not compressed."""
        if PLAIN_NAME not in spec.files and spec.blocks:
            return super().load(spec, directory)
        path = directory / PLAIN_NAME
        arrays = read_arrays(path, spec.files.get(PLAIN_NAME))
        with described(path):
            return cls.restored(spec, {_NAMES.get(name, name): values for name, values in arrays.items()})

    def take(self, spec: HeadSpec, arrays: Arrays) -> None:
        """See `Head`; older formats do not say how wide the vectors are."""
        self.blocks = self.blocks or {BLOCK: len(take(arrays, "feature_mean", (None,)))}
        if list(self.blocks) != [BLOCK]:
            raise ExLMError("it reads the vectors of an encoder and nothing else")
        super().take(spec, arrays)
        if len(self.varying) < self.columns:
            raise ExLMError("a scale is 0")
