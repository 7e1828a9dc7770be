"""Ablations of the paper: what each part of the model is worth, by small runs that differ in one thing."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats

from exlm_chem.analysis.cells import Cells
from exlm_chem.analysis.masked import mask_ids
from exlm_chem.analysis.options import AblationOptions, Variant
from exlm_chem.analysis.probe import PROBES, probe, probe_values
from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.modeling.inputs import prepare_inputs
from exlm_chem.pretraining.batch_plan import longest_molecule
from exlm_chem.pretraining.batching import Batch
from exlm_chem.pretraining.corpus_files import CorpusFiles
from exlm_chem.pretraining.evaluation import evaluate
from exlm_chem.pretraining.initial_model import make_config
from exlm_chem.pretraining.measurements import Progress
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import prepare_corpus, pretrain
from exlm_chem.storage import read_json
from exlm_chem.tokenizer import ExLMTokenizer

CHANGES: dict[Variant, dict[str, Any]] = {
    "exlm": {},
    "k1": {"states": 1},
    "k2": {"states": 2},
    "k8": {"states": 8},
    "no-transitions": {"state_graph": "even"},
    "next-mask-only": {"state_graph": "next"},
    "lanes": {"state_graph": "lanes"},
    "no-second-position": {"second_position": False},
    "masks-15": {"mask_ratio": 0.15},
    "masks-40": {"mask_ratio": 0.4},
    "mlm": {"objective": "mlm"},
    "mlm-equal-seconds": {"objective": "mlm"},
}
"""In which options a variant differs from "exlm"."""

FEWEST = 10  # molecules on which something can be measured
MEASURES = ("loss_per_masked_token", "accuracy", "path_entropy", *PROBES, "molecules", "cpu_seconds")
"""What is measured of every run."""


def measure_ablation(
    files: Sequence[str | Path],
    output: str | Path,
    options: AblationOptions | None = None,
    *,
    models: str | Path | None = None,
    cache: str | Path | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> dict[str, dict[str, tuple[float, float]]]:
    """Pretrain every variant with every seed, and measure all on the same masks of the same molecules.

    Parameters
    ----------
    files : sequence of paths
        Molecules to learn from; a twentieth of them is held out.
    output : path
        A picture; the numbers stand beside it in a ``.json``. Runs that are there already are not made again.
    options : AblationOptions, optional
    models : path, optional
        A folder that keeps the trained models, such as ``exlm-0`` for seed 0.
    cache : path, optional
        Where prepared corpora are kept; see `exlm_chem.pretraining.run.pretrain`.
    log : callable, optional
        Called with a sentence for every run.

    Returns
    -------
    dict
        For every variant the mean of each of `MEASURES` over the seeds, and half the width of its 95 % interval (NaN
        with a single seed).
    """
    from exlm_chem.analysis.ablation_picture import draw_ablation

    options = options or AblationOptions()
    kept = {name: value for name, value in asdict(options).items() if name not in ("variants", "seeds")}
    learnt_from = {"files": [Path(file).name for file in files], "sha256": CorpusFiles.of(files).key([])}
    table = Cells(Path(output).with_suffix(".json"), learnt_from | kept)
    runs = _Runs(files, options, table, None if models is None else Path(models), cache)
    for seed in range(options.seeds):
        for variant in sorted(options.variants, key=list(CHANGES).index):
            found = runs.get(variant, seed)
            log(f"{variant}, seed {seed}: {found['loss_per_masked_token']:.4f} nats per masked token.")
    summary = summarise(table.cells)
    draw_ablation(summary, output)
    return summary


@dataclass(frozen=True)
class _Runs:
    """The runs of an ablation, each made when it is asked for the first time."""

    files: Sequence[str | Path]
    options: AblationOptions
    table: Cells
    models: Path | None
    cache: str | Path | None

    def get(self, variant: Variant, seed: int) -> dict[str, Any]:
        """Give what was measured of a run."""
        return self.table.get(f"{variant}, seed {seed}", partial(self._make, variant, seed))

    def _make(self, variant: Variant, seed: int) -> dict[str, Any]:
        """Pretrain once and measure."""
        options, tokenizer = self.options, ExLMTokenizer()
        passes = options.passes
        if variant == "mlm-equal-seconds":
            # By CPU time, not by the clock: other processes of the machine would decide who wins.
            passes *= self.get("exlm", seed)["cpu_seconds"] / self.get("mlm", seed)["cpu_seconds"]
        run = self._options(variant, seed, passes)
        corpus = prepare_corpus(self.files, tokenizer, run, cache=self.cache)
        corpus.max_tokens = self._longest(tokenizer)
        rows = corpus.validation_rows(options.held_out)
        if len(rows) < FEWEST:
            raise ExLMError(f"{len(rows)} molecules are held out, and {FEWEST} are needed; give a larger file.")
        kept = None if self.models is None else self.models / f"{variant}-{seed}"
        if kept is not None and kept.exists():
            raise ExLMError(f"{kept} is there, but not its numbers; remove it, or choose another folder for models.")
        clock = _Clock()
        with tempfile.TemporaryDirectory() as folder:
            directory = pretrain(self.files, Path(folder) / "run", run, cache=self.cache, report=clock)
            facts = read_json(directory / "training.json")
            model = ExLMForMaskedLM.from_pretrained(directory)
            if kept is not None:
                shutil.copytree(directory, kept, ignore=shutil.ignore_patterns("checkpoints"))
        measured = measure_model(model, corpus.padded(rows, tokenizer.pad_id), tokenizer, options)
        return {
            "variant": variant,
            "seed": seed,
            "molecules": facts["molecules_seen"],
            "cpu_seconds": round(clock.seconds, 2),
        } | measured

    def _options(self, variant: Variant, seed: int = 0, passes: float = 1.0) -> PretrainingOptions:
        options = self.options
        chosen = {"mask_ratio": options.mask_ratio, "mask_by": options.mask_by} | CHANGES[variant]
        return PretrainingOptions(
            preset=options.preset,
            batch_tokens=options.batch_tokens,
            validation=0.05,
            evaluations=1,
            epochs=passes,
            seed=seed,
            **chosen,
        )

    def _longest(self, tokenizer: ExLMTokenizer) -> int:
        """Tokens of the longest molecule that fits into every variant, so that all are measured on the same ones."""
        runs = map(self._options, CHANGES)
        return min(longest_molecule(make_config(run, tokenizer), run.mask_ratio, run.batch_tokens) for run in runs)


class _Clock:
    """CPU seconds of training; the first step, which also imports and warms up, counts as much as the others."""

    def __init__(self) -> None:
        self.marks = [(0, time.process_time())]

    def __call__(self, progress: Progress, _share: float, _loss: float) -> None:
        self.marks.append((progress.molecules, time.process_time()))

    @property
    def seconds(self) -> float:
        (before, begun), (molecules, ended) = self.marks[min(1, len(self.marks) - 2)], self.marks[-1]
        return (ended - begun) * molecules / (molecules - before)


def measure_model(
    model: ExLMForMaskedLM, ids: Any, tokenizer: ExLMTokenizer, options: AblationOptions
) -> dict[str, float]:
    """Measure a model on molecules with masks that are always the same, and its vectors without masks."""
    masked = mask_ids(ids, tokenizer, options.mask_by, options.mask_ratio, np.random.default_rng(0))
    batches = [
        Batch(prepare_inputs(model.config, torch.from_numpy(some.input_ids), torch.from_numpy(some.labels)))
        for some in masked.batches(64, tokenizer.pad_id)
    ]
    found = evaluate(model, batches, torch.device("cpu"))
    with torch.inference_mode():
        vectors = np.concatenate([model.model.embed(torch.from_numpy(part)).numpy() for part in np.array_split(ids, 8)])
    known = probe(vectors, probe_values([tokenizer.decode(row) for row in ids.tolist()]))
    return {
        "loss_per_masked_token": found["loss_per_masked_token"],
        "accuracy": found["validation_accuracy"],
        "path_entropy": found["path_entropy"],
    } | known


def summarise(cells: dict[str, dict[str, Any]]) -> dict[str, dict[str, tuple[float, float]]]:
    """Give mean and half the width of the 95 % interval over seeds, of every variant and measure.

    Examples
    --------
    >>> cells = {str(seed): {"variant": "k1", **dict.fromkeys(MEASURES, seed)} for seed in (1.0, 2.0, 3.0)}
    >>> [round(number, 2) for number in summarise(cells)["k1"]["accuracy"]]
    [2.0, 2.48]
    """
    summary: dict[str, dict[str, tuple[float, float]]] = {}
    for variant in CHANGES:
        runs = [cell for cell in cells.values() if cell["variant"] == variant]
        if runs:
            summary[variant] = {name: _interval([one[name] for one in runs]) for name in MEASURES}
    return summary


def _interval(values: list[float | None]) -> tuple[float, float]:
    known = np.array([math.nan if value is None else value for value in values])
    half = (
        stats.t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / math.sqrt(len(known)) if len(known) > 1 else math.nan
    )
    return float(known.mean()), float(half)
