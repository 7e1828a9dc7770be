"""chemprop, a network that passes messages along the bonds of a molecule, trained as its command does by default.

References
----------
Heid et al., Chemprop: a machine learning package for chemical property prediction, J. Chem. Inf. Model. 64, 9 (2024).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.evaluation.peers.peer import LearningPeer, PredictMolecules
from exlm_chem.terms import Kind

EPOCHS: Final = 50
"""As ``chemprop train`` does by default, and so are layers, batches and rates of learning."""


class ChempropPeer(LearningPeer):
    """A directed message-passing network, by ``chemprop`` 2, on the CPU."""

    name: ClassVar[str] = "chemprop"
    package: ClassVar[str] = "chemprop"

    def fit(
        self, smiles: Sequence[str], labels: NDArray[np.float64], kind: Kind, seed: int
    ) -> Iterator[PredictMolecules]:
        """See `LearningPeer`; there is one for each epoch, the last first: the validation part says when to stop."""
        import torch
        from chemprop.data import MoleculeDatapoint, MoleculeDataset, build_dataloader
        from chemprop.models import MPNN
        from chemprop.nn import BinaryClassificationFFN, BondMessagePassing, NormAggregation, RegressionFFN
        from chemprop.nn.transforms import UnscaleTransform

        molecules = MoleculeDataset([MoleculeDatapoint.from_smi(one, y) for one, y in zip(smiles, labels, strict=True)])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if kind == "classification":
                output = BinaryClassificationFFN(n_tasks=labels.shape[1])
            else:
                scale = UnscaleTransform.from_standard_scaler(molecules.normalize_targets())
                output = RegressionFFN(n_tasks=labels.shape[1], output_transform=scale)
            model = MPNN(BondMessagePassing(), NormAggregation(), output)
            states = _train(model, build_dataloader(molecules, seed=seed, drop_last=False))
        for state in reversed(states):
            yield _predictor(model, state)


def _train(model: Any, batches: Any) -> list[dict[str, Any]]:
    """Train a network, and give its weights after each epoch."""
    from lightning.pytorch import Trainer
    from lightning.pytorch.callbacks import LambdaCallback

    states: list[dict[str, Any]] = []
    keep = LambdaCallback(on_train_epoch_end=lambda _, model: states.append(deepcopy(model.state_dict())))
    log = logging.getLogger("lightning.pytorch")
    level = log.level
    with warnings.catch_warnings(action="ignore"):
        log.setLevel(logging.ERROR)
        Trainer(
            max_epochs=EPOCHS, accelerator="cpu", callbacks=[keep], logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False,
        ).fit(model, batches)  # fmt: skip
        log.setLevel(level)
    return states


def _predictor(model: Any, state: dict[str, Any]) -> PredictMolecules:
    def predict(smiles: Sequence[str]) -> NDArray[np.float64]:
        import torch
        from chemprop.data import MoleculeDatapoint, MoleculeDataset, build_dataloader

        model.load_state_dict(state)
        model.eval()
        molecules = MoleculeDataset([MoleculeDatapoint.from_smi(one) for one in smiles])
        # By default chemprop leaves out a last molecule that is alone in its batch.
        batches = build_dataloader(molecules, shuffle=False, drop_last=False)
        with torch.inference_mode():
            values = torch.cat([model(batch.bmg) for batch in batches])
        return np.asarray(values.numpy(), dtype=np.float64)

    return predict
