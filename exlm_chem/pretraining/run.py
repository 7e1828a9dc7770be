"""A whole pretraining run: corpus, training, model directory."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from exlm_chem.errors import ExLMError
from exlm_chem.machine import devices, versions
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
from exlm_chem.pretraining.card import model_card
from exlm_chem.pretraining.corpus import Corpus, build_corpus
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.target_store import TargetStore, build_targets
from exlm_chem.pretraining.targets import MoleculeObjective
from exlm_chem.pretraining.trainer import Report, Trainer, expanded_lengths
from exlm_chem.tokenizer import ExLMTokenizer


def pretrain(
    files: Sequence[str | Path],
    output: str | Path,
    options: PretrainingOptions | None = None,
    *,
    resume: bool = False,
    smiles_column: str | None = None,
    validation_files: Sequence[str | Path] = (),
    report: Report = lambda *_: None,
    log: Callable[[str], None] = lambda _: None,
) -> Path:
    """Pretrain a model on SMILES files.

    Parameters
    ----------
    files : sequence of paths
        SMILES files or tables, compressed or not.
    output : path
        The run's directory; in the end it is a model directory, with checkpoints and measurements beside the model.
    options : PretrainingOptions, optional
    resume : bool
        Go on where an earlier run in `output` stopped; from the beginning if there was none.
    smiles_column : str, optional
        SMILES column of tables; found by its name otherwise.
    validation_files : sequence of paths
        Molecules for validation; by default a share of `files`.
    report, log : callable, optional
        See `Trainer`.

    Returns
    -------
    Path
        The model directory.

    Raises
    ------
    ExLMError
        When the output is in use, a file cannot be read, or nothing can be learnt from it.

    Examples
    --------
    >>> import tempfile
    >>> from exlm_chem.data import data_path
    >>> from exlm_chem.modeling import ExLMModel
    >>> options = PretrainingOptions(preset="tiny", max_steps=1, batch_tokens=1024, device="cpu")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     directory = pretrain([data_path("examples.csv")], Path(folder) / "model", options)
    ...     ExLMModel.from_pretrained(directory).config.num_states
    4
    """
    options = options or PretrainingOptions()
    output = Path(output)
    if output.exists() and not output.is_dir():
        raise ExLMError(f"{output} is a file; choose another -o.")
    if output.exists() and any(output.iterdir()) and not resume:
        raise ExLMError(f"{output} is not empty; add --resume to go on with it, or choose another -o.")
    output.mkdir(parents=True, exist_ok=True)

    tokenizer = ExLMTokenizer(options.scheme)
    corpus = build_corpus(
        files,
        output / "corpus",
        tokenizer,
        _longest(options, tokenizer),
        options.validation,
        smiles_column,
        validation_files,
    )
    summary = corpus.summary
    log(
        f"{summary.molecules - summary.validation:,} molecules to learn from, {summary.validation:,} for validation, "
        f"{summary.rejected:,} rejected (see {output / 'corpus' / 'rejected.csv'})."
    )
    targets = [_targets(corpus, name, options, log) for name in options.molecule_objectives]
    trainer = Trainer(corpus, output, tokenizer, options, targets, report, log)
    started = time.time()
    model = trainer.train(resume)
    if trainer.accelerator.is_main_process:
        _write_model(model, output, tokenizer, corpus, trainer, started)
    return output


def _targets(
    corpus: Corpus, name: MoleculeObjective, options: PretrainingOptions, log: Callable[[str], None]
) -> TargetStore:
    """Compute the targets of an objective, with a word at every tenth of a long way."""
    said = 0.0

    def report(share: float) -> None:
        nonlocal said
        if len(corpus) > 10_000 and (share >= said + 0.1 or share == 1):
            said = share
            log(f"{name}: {share:.0%} of {len(corpus):,} molecules computed.")

    return build_targets(corpus, name, options.scheme, report=report)


def _longest(options: PretrainingOptions, tokenizer: ExLMTokenizer) -> int:
    """Tokens of the longest molecule that is sure to fit after masking and expansion."""
    config = ExLMConfig.preset(
        options.preset, tokenizer.vocab_size, objective=options.objective, num_states=options.states
    )
    lengths = torch.arange(config.max_positions + 1).numpy()
    return int(
        lengths[
            expanded_lengths(lengths, config, options.mask_ratio) <= min(config.max_positions, options.batch_tokens)
        ][-1]
    )


def _write_model(
    model: ExLMForMaskedLM, output: Path, tokenizer: ExLMTokenizer, corpus: Corpus, trainer: Trainer, started: float
) -> None:
    tokenizer.save_pretrained(output)
    model.save_pretrained(output)
    if trainer.targets:
        _write_json(output / "molecule_targets.json", {store.name: store.describe() for store in trainer.targets})
    with (output / "model.safetensors").open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    facts: dict[str, Any] = {
        "format_version": 1,
        "sha256": digest,  # of the weights; whoever loads the directory compares
        "options": asdict(trainer.options),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "precision": trainer.accelerator.mixed_precision,
        "corpus": {**asdict(corpus.summary), "files": [Path(file).name for file in corpus.summary.files]},
        "steps": trainer.progress.step,
        "molecules_seen": trainer.progress.molecules,
        "training_seconds": round(trainer.progress.seconds, 1),
        "last_measurement": asdict(trainer.progress.history[-1]),
        "versions": versions(),
    }
    _write_json(output / "training.json", facts)
    run = {"command": sys.argv, "started": started, "finished": time.time(), "devices": devices(), **facts}
    _write_json(output / "run.json", run)
    (output / "README.md").write_text(model_card(facts), encoding="utf-8")


def _write_json(path: Path, content: dict[str, Any]) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    shutil.move(temporary, path)
