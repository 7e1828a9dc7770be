"""What a run will need, from a few steps that are taken and thrown away."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import torch

from exlm_chem.base_tokenizer import Tokenizer
from exlm_chem.pretraining.accelerator import make_accelerator
from exlm_chem.pretraining.batch_plan import expanded_lengths
from exlm_chem.pretraining.batching import load_batches
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.initial_model import make_config
from exlm_chem.pretraining.objectives import objective_values
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.trainer import Trainer
from exlm_chem.pretraining.training_data import TrainingData

WARM_UP, MEASURED = 2, 5  # steps
SAMPLE = 100  # molecules


@dataclass(frozen=True)
class Estimate:
    """What a run will need.

    Attributes
    ----------
    parameters : int
    training_molecules : int
    tokens_per_epoch : int
        After expansion.
    molecules_per_second, tokens_per_second : float
        Of all processes together, measured.
    gemm_share : float
        Matrix products per second as a share of the device's speed on large matrices.
    steps : int
        Optimizer steps of the whole run.
    training_seconds : float
    objective_seconds : float
        To compute the values of the molecule-level objectives first, if they are not there yet.
    memory_gb : float
        Of the device, or of the process on CPU, at its peak.
    """

    parameters: int
    training_molecules: int
    tokens_per_epoch: int
    molecules_per_second: float
    tokens_per_second: float
    gemm_share: float
    steps: int
    training_seconds: float
    objective_seconds: float
    memory_gb: float


def estimate(corpus: Corpus, tokenizer: Tokenizer, options: PretrainingOptions) -> Estimate:
    """Take a few steps and say what the whole run will need; nothing is kept.

    Parameters
    ----------
    corpus : Corpus
    tokenizer : Tokenizer
    options : PretrainingOptions

    Returns
    -------
    Estimate
    """
    trial = replace(options, max_steps=WARM_UP + MEASURED, loggers=())
    with tempfile.TemporaryDirectory() as folder:
        accelerator = make_accelerator(trial, Path(folder))
        config = make_config(options, tokenizer)
        # The heads of the molecule-level objectives cost little, and their values may not exist yet.
        trainer = Trainer(TrainingData(corpus, tokenizer), Path(folder), trial, accelerator)
        process, processes = accelerator.process_index, accelerator.num_processes
        batches = load_batches(trainer.batches, 0, process, processes, options.num_workers, pin_memory=False)
        for step in range(WARM_UP + MEASURED):
            if step == WARM_UP:
                trainer.read_clock()
                done, started = replace(trainer.progress), time.monotonic()
            trainer.take_step(batches, step / trial.max_steps if trial.max_steps else 0.0)
        trainer.read_clock()
        seconds = time.monotonic() - started
        memory = _peak_memory(accelerator.device)
    progress = trainer.progress
    molecules, tokens = progress.molecules - done.molecules, progress.tokens - done.tokens
    flops = progress.window.flops / progress.step * MEASURED
    training = trainer.train_molecules
    plan = trainer.batches.plan.pool(0, 0)
    lengths = expanded_lengths(corpus.lengths(plan.rows), plan.masks, config)
    limits = [
        options.max_steps and options.max_steps * seconds / MEASURED,
        options.epochs and options.epochs * training * seconds / molecules,
        options.max_seconds,
    ]
    total = min(limit for limit in limits if limit)
    return Estimate(
        parameters=sum(parameter.numel() for parameter in trainer.model.parameters()),
        training_molecules=training,
        tokens_per_epoch=round(float(lengths.mean()) * training),
        molecules_per_second=round(molecules / seconds, 1),
        tokens_per_second=round(tokens / seconds),
        gemm_share=round(flops / seconds / progress.peak_flops, 3),
        steps=round(total / seconds * MEASURED),
        training_seconds=round(total),
        objective_seconds=round(_seconds_for_objectives(corpus, tokenizer, options)),
        memory_gb=round(memory / 1e9, 2),
    )


def _peak_memory(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    return float(psutil.Process().memory_info().rss)


def _seconds_for_objectives(corpus: Corpus, tokenizer: Tokenizer, options: PretrainingOptions) -> float:
    some = [tokenizer.decode(corpus[row].tolist()) for row in range(min(SAMPLE, len(corpus)))]
    started = time.monotonic()
    for name in options.computed_objectives:
        for smiles in some:
            objective_values(smiles, name)
    return (time.monotonic() - started) / len(some) * len(corpus) / (os.cpu_count() or 1)
