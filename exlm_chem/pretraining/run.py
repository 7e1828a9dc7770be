"""A whole pretraining run: corpus, training, model directory."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from exlm_chem.base_tokenizer import Tokenizer
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.machine import devices, processor_multiplies_bfloat16, versions
from exlm_chem.model_directory import write_model
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.pretraining.accelerator import make_accelerator
from exlm_chem.pretraining.batch_plan import longest_molecule
from exlm_chem.pretraining.card import model_card
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.corpus_builder import REJECTED, build_corpus
from exlm_chem.pretraining.corpus_files import CorpusFiles
from exlm_chem.pretraining.initial_model import describe_start, make_config, start_options
from exlm_chem.pretraining.label_values import build_label_values
from exlm_chem.pretraining.objective_values import ObjectiveValues, build_objective_values
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.resumption import find_stop
from exlm_chem.pretraining.trainer import Report, Trainer
from exlm_chem.pretraining.training_data import TrainingData
from exlm_chem.storage import write_json, write_text
from exlm_chem.terms import MoleculeObjective
from exlm_chem.text_tokenizer import open_tokenizer

SHORTEST = 8  # tokens of a molecule, <s> and </s> counted, that every run must be able to take


def pretrain(
    files: CorpusFiles | Sequence[str | Path],
    output: str | Path,
    options: PretrainingOptions | None = None,
    *,
    resume: bool = False,
    cache: str | Path | None = None,
    report: Report = lambda *_: None,
    log: Callable[[str], None] = lambda _: None,
) -> Path:
    """Pretrain a model on SMILES files, or on files of text with a tokenizer for it.

    Parameters
    ----------
    files : CorpusFiles or sequence of paths
        SMILES files or tables, compressed or not; with a tokenizer for text, files of which every line is a text.
    output : path
        The run's directory; in the end it is a model directory, with checkpoints and measurements beside the model.
    options : PretrainingOptions, optional
    resume : bool
        Go on where an earlier run in `output` stopped; from the beginning if there was none.
    cache : path, optional
        Where prepared corpora are kept for the next run; see `default_cache`.
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
    ...     directory = pretrain([data_path("examples.csv")], Path(folder) / "model", options, cache=folder)
    ...     ExLMModel.from_pretrained(directory).config.num_states
    4
    """
    options = options or PretrainingOptions()
    output = Path(output)
    tokenizer = open_tokenizer(options.scheme)
    check_before_work(options, tokenizer)
    accelerator = make_accelerator(options, output)
    if accelerator.is_main_process:
        _check_directory(output, resume)
    else:
        log = _say_nothing
    in_bfloat16 = accelerator.mixed_precision == "bf16"
    if in_bfloat16 and accelerator.device.type == "cpu" and not processor_multiplies_bfloat16():
        log("This processor has no instructions for bfloat16 and emulates it, many times slower than --precision fp32.")
    # The first process of a machine prepares, the others find what it has made.
    with accelerator.local_main_process_first():
        corpus = prepare_corpus(files, tokenizer, options, cache=cache, log=log)
        stop = find_stop(output / "checkpoints", options, corpus.summary.key, log) if resume else None
        values = [_objective_values(corpus, name, tokenizer, log) for name in options.computed_objectives]
        values += build_label_values(corpus, options.label_tables, tokenizer, log)
    trainer = Trainer(TrainingData(corpus, tokenizer, values), output, options, accelerator, report, log)
    if stop is not None:
        trainer.resume(stop)
    if accelerator.is_main_process:  # only now, when nothing is left that could be refused
        output.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(corpus.directory / REJECTED, output / REJECTED)
    started = time.time()
    model = trainer.train()
    if accelerator.is_main_process:
        _write_model(model, output, trainer, started, CorpusFiles.of(files))
    accelerator.end_training()
    return output


def check_before_work(options: PretrainingOptions, tokenizer: Tokenizer) -> None:
    """Check, before a file is read, that the model can be made and that a batch can hold a molecule.

    Raises
    ------
    ExLMError
        Names what does not fit.
    """
    config = make_config(options, tokenizer)
    longest = longest_molecule(config, options.mask_ratio, options.batch_tokens)
    if longest < SHORTEST:
        room = f"--batch-tokens {options.batch_tokens} and the {config.max_positions} positions of the model"
        raise ExLMError(
            f"a {tokenizer.reads} of {SHORTEST} tokens with {options.states} states for every mask does not fit into "
            f"{room}; use more --batch-tokens or fewer --states."
        )
    compilers = (os.environ.get("CXX") or "g++", "clang++")
    if options.compile and not torch.cuda.is_available() and not any(map(shutil.which, compilers)):
        raise ExLMError("--compile needs a C++ compiler, and there is neither g++ nor clang++; leave --compile away.")


def prepare_corpus(
    files: CorpusFiles | Sequence[str | Path],
    tokenizer: Tokenizer,
    options: PretrainingOptions,
    *,
    cache: str | Path | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> Corpus:
    """Make or find the corpus of a run and say what is in it.

    Parameters
    ----------
    files, cache, log
        See `pretrain`.
    tokenizer : Tokenizer
    options : PretrainingOptions

    Returns
    -------
    Corpus

    Raises
    ------
    ExLMError
        When a file cannot be read, or no molecule is left to learn from.
    """
    files = CorpusFiles.of(files)
    said = 0

    def report(lines: int) -> None:
        nonlocal said
        if lines >= said + 1_000_000:
            said = lines
            log(f"{lines:,} lines read.")

    longest = longest_molecule(make_config(options, tokenizer), options.mask_ratio, options.batch_tokens)
    directory = build_corpus(
        files,
        tokenizer,
        check=options.check,
        deduplicate=options.deduplicate,
        most_tokens=longest if options.reads_text else None,
        cache=cache,
        report=report,
    )
    corpus = Corpus(directory, 0.0 if files.validation else options.validation, longest)
    training, validation, too_long = corpus.counts
    summary, what = corpus.summary, tokenizer.reads
    for note in summary.reading:
        log(note)
    left_out = {
        f"{summary.rejected:,} lines rejected (see {REJECTED})": summary.rejected,
        f"{summary.duplicates:,} repetitions left aside": summary.duplicates,
        f"{too_long:,} {what}s with more than {longest} tokens left aside": too_long,
    }
    said_of_those = "".join(f", {text}" for text, count in left_out.items() if count)
    log(f"{training:,} {what}s to learn from, {validation:,} for validation{said_of_those}; kept in {directory}.")
    if training and not validation:
        log(f"No {what} is kept for validation, so no validation loss is measured; use a larger --valid, or a file.")
    if not training:
        raise ExLMError(f"{files}: no {what} is left to train on{said_of_those}.")
    return corpus


def _check_directory(output: Path, resume: bool) -> None:
    try:
        str(output).encode()
    except UnicodeEncodeError:
        problem = "is no UTF-8, the only names that the libraries below can write"
        raise ExLMError(f"the name {quoted(output.name)} {problem}; choose another -o.") from None
    if output.exists() and not output.is_dir():
        raise ExLMError(f"{output} is a file; choose another -o.")
    if output.exists() and any(output.iterdir()) and not resume:
        raise ExLMError(f"{output} is not empty; add --resume to go on with it, or choose another -o.")
    home = next(folder for folder in (output, *output.absolute().parents) if folder.exists())
    if not os.access(home, os.W_OK):
        raise ExLMError(f"{home} cannot be written to; choose another -o.")


def _say_nothing(_: str) -> None:
    """Take the place of `log` in all processes but the first."""


def _objective_values(
    corpus: Corpus, name: MoleculeObjective, tokenizer: Tokenizer, log: Callable[[str], None]
) -> ObjectiveValues:
    """Compute the values of an objective, with a word at every tenth of a long way."""
    said = 0.0

    def report(share: float) -> None:
        nonlocal said
        if len(corpus) > 10_000 and (share >= said + 0.1 or share == 1):
            said = share
            log(f"{name}: {share:.0%} of {len(corpus):,} molecules computed.")

    return build_objective_values(corpus, name, tokenizer, report=report)


def _write_model(model: ExLMForMaskedLM, output: Path, trainer: Trainer, started: float, files: CorpusFiles) -> None:
    data, corpus = trainer.data, trainer.data.corpus
    write_model(output, model, data.tokenizer)
    if data.objective_values:
        described = {values.name: values.describe() for values in data.objective_values}
        write_json(output / "molecule_targets.json", described)
    start = describe_start(trainer.options)
    facts: dict[str, Any] = {
        "options": asdict(trainer.options)
        | start_options(trainer.options, trainer.config)
        | {"scheme": data.tokenizer.scheme, "molecule_objectives": trainer.options.named_objectives},
        "started_from": start,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "precision": trainer.accelerator.mixed_precision,
        "corpus": {
            **asdict(corpus.summary),
            "files": [Path(file).name for file in files.training],  # the corpus may be that of others with this content
            **dict(zip(("training", "validation", "too_long"), corpus.counts, strict=True)),
        },
        "processes": trainer.accelerator.num_processes,
        "steps": trainer.progress.step,
        "molecules_seen": trainer.progress.molecules,
        "training_seconds": round(trainer.progress.seconds, 1),
        "last_measurement": asdict(trainer.progress.history[-1]),
        "versions": versions(),
    }
    write_json(output / "training.json", facts)
    run = {"started": started, "finished": time.time(), "devices": devices(), **facts}
    write_json(output / "run.json", run)
    write_text(output / "README.md", model_card(facts))
