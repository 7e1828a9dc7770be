"""The paper's pilot study (section 2): repeated masked language modelling.

A ``[MASK]`` does two things to a sequence: it is a token that no downstream text has (*unreal tokens*), and it hides
what stood there (*corrupted semantics*). Repeating every token k times and masking every copy by itself with
probability p tells them apart: the share of masks is p whatever k is, but a meaning is lost only if all copies of a
token are masked, with probability p^k.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from exlm_chem.analysis.cells import Cells
from exlm_chem.analysis.options import SemanticsOptions
from exlm_chem.analysis.probe import probe, probe_values
from exlm_chem.analysis.small_training import train
from exlm_chem.analysis.texts import read_ids
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
from exlm_chem.modeling.inputs import NOT_A_TARGET, prepare_inputs
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tokenizer import ExLMTokenizer

_LONGEST = 128  # tokens of a molecule


def measure_semantics(
    molecules: Path | Sequence[str],
    output: str | Path,
    options: SemanticsOptions | None = None,
    *,
    reading: ReadOptions | str | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> dict[str, dict[str, Any]]:
    """Train a small masked language model for every cell of the grid and measure what it has learnt.

    Parameters
    ----------
    molecules : Path or sequence of str
        See `MoleculeReader`; the first ones are held out.
    output : path
        A picture; the numbers stand beside it in a ``.json``. Cells that are there already are not measured again.
    options : SemanticsOptions, optional
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    log : callable, optional
        Called with a sentence for every cell.

    Returns
    -------
    dict
        For every cell: ``copies``, ``masked``, ``lost`` (the expected share of tokens with no copy left), ``accuracy``
        at the masked copies, ``accuracy_of_lost`` at those without another copy, and the share of the variance of each
        of `PROBES` that a ridge explains on molecules it has not seen, from frozen vectors of unmasked molecules.
    """
    from exlm_chem.analysis.semantics_picture import draw_semantics

    options = options or SemanticsOptions()
    tokenizer = ExLMTokenizer()
    ids = read_ids(molecules, tokenizer, most_tokens=_LONGEST, least=options.held_out + options.batch, reading=reading)
    padded = tokenizer.pad(ids)
    table = Cells(Path(output).with_suffix(".json"), _settings(options, padded))
    texts = [tokenizer.decode(row) for row in ids[: options.held_out]]
    values = probe_values(texts)
    for copies in options.copies:
        for masked in options.masked:
            cell = Cell(padded, values, tokenizer, options, copies, masked)
            found = table.get(f"{copies} copies, {masked:g} masked", cell.measure)
            log(f"{copies} copies, {masked:.0%} masked: {found['accuracy']:.3f} of the masked copies right.")
    draw_semantics(list(table.cells.values()), output)
    return table.cells


class Cell:
    """One cell of the grid.

    Parameters
    ----------
    ids : array of int64, shape (n, T)
        Molecules, the held-out ones first.
    values : array of float, shape (held out, probes)
        What the probes shall know.
    tokenizer : ExLMTokenizer
    options : SemanticsOptions
    copies : int
    masked : float
    """

    def __init__(
        self,
        ids: NDArray[np.int64],
        values: NDArray[np.float64],
        tokenizer: ExLMTokenizer,
        options: SemanticsOptions,
        copies: int,
        masked: float,
    ) -> None:
        self.ids, self.values, self.tokenizer, self.options = ids, values, tokenizer, options
        self.copies, self.masked = copies, masked
        longest = {"max_positions": max(1024, copies * _LONGEST)}
        self.config = ExLMConfig.preset(
            options.preset, tokenizer.vocab_size, objective="mlm", mask_token_id=tokenizer.mask_id, **longest
        )

    def measure(self) -> dict[str, Any]:
        """Train, and measure on the molecules that are held out."""
        options = self.options
        torch.manual_seed(options.seed)
        model = ExLMForMaskedLM(self.config)

        def loss_of(step: int, _share: float) -> torch.Tensor:
            generator = np.random.default_rng((options.seed, step))
            rows = options.held_out + generator.integers(len(self.ids) - options.held_out, size=options.batch)
            loss: torch.Tensor = model(prepare_inputs(self.config, *self.hidden(rows, generator))).loss
            return loss

        train(model, loss_of, options.steps)
        return {
            "copies": self.copies,
            "masked": self.masked,
            "lost": self.masked**self.copies,
            **self._accuracies(model),
            **self._probes(model),
        }

    def repeated(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give molecules with every token repeated, but for ``<s>`` and ``</s>``."""
        pad = self.tokenizer.pad_id
        texts = [[token for token in row if token != pad] for row in self.ids[rows].tolist()]
        return self.tokenizer.pad([[row[0], *np.repeat(row[1:-1], self.copies).tolist(), row[-1]] for row in texts])

    def hidden(self, rows: NDArray[np.int64], generator: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Mask every copy of the molecules' tokens with the cell's probability; give ids and labels."""
        ids = self.repeated(rows)
        chosen = (generator.random(ids.shape) < self.masked) & (ids > self.tokenizer.unk_id)
        masked = np.where(chosen, self.tokenizer.mask_id, ids)
        return torch.from_numpy(masked), torch.from_numpy(np.where(chosen, ids, NOT_A_TARGET))

    def _accuracies(self, model: ExLMForMaskedLM) -> dict[str, float]:
        """Give the shares of masked copies that are predicted right: of all, and of those without another copy."""
        right, alone = [], []
        for number, rows in enumerate(self._batches()):
            ids, labels = self.hidden(rows, np.random.default_rng((self.options.seed, number, 1)))
            with torch.inference_mode():
                predicted = model(prepare_inputs(self.config, ids, labels)).logits.argmax(-1)
            masked = labels != NOT_A_TARGET
            right.append(predicted == labels[masked])
            inner = masked[:, 1 : 1 + (masked.shape[1] - 2) // self.copies * self.copies]
            lost = inner.unflatten(1, (-1, self.copies)).all(2).repeat_interleave(self.copies, 1)
            alone.append(torch.nn.functional.pad(lost, (1, masked.shape[1] - 1 - lost.shape[1]))[masked])
        found, only = torch.cat(right), torch.cat(alone)
        share = found[only].float().mean() if only.any() else torch.tensor(float("nan"))
        return {"accuracy": float(found.float().mean()), "accuracy_of_lost": float(share)}

    def _probes(self, model: ExLMForMaskedLM) -> dict[str, float]:
        """Say what the frozen vectors of unmasked molecules know."""
        vectors = []
        for rows in self._batches():
            with torch.inference_mode():
                vectors.append(model.model.embed(torch.from_numpy(self.repeated(rows))).numpy())
        return probe(np.concatenate(vectors), self.values)

    def _batches(self) -> list[NDArray[np.int64]]:
        return np.array_split(np.arange(self.options.held_out), -(-self.options.held_out // 64))


def _settings(options: SemanticsOptions, ids: NDArray[np.int64]) -> dict[str, Any]:
    grid = ("copies", "masked")
    learnt_from = {"molecules": len(ids), "sha256": hashlib.sha256(ids.tobytes()).hexdigest()}
    return learnt_from | {name: value for name, value in asdict(options).items() if name not in grid}
