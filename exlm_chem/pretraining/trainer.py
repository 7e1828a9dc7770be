"""The training loop, on accelerate: from a corpus to a model directory, resumable at every step."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from exlm_chem.errors import ExLMError
from exlm_chem.machine import release_memory
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
from exlm_chem.modeling.outputs import MaskedLMOutput
from exlm_chem.pretraining.batching import Batch, BatchPlan, MaskedBatches, plan_batches
from exlm_chem.pretraining.checkpoint import find_checkpoint, save_checkpoint
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.evaluation import evaluate
from exlm_chem.pretraining.history import Measurement, Progress, write_history
from exlm_chem.pretraining.interruption import StopRequest
from exlm_chem.pretraining.optimization import learning_rate_factor, make_optimizer, resolve_precision
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.target_store import TargetStore
from exlm_chem.tokenizer import ExLMTokenizer

VALIDATION_MOLECULES = 1_000
RELEASE_EVERY = 10  # steps
# First numbers of the random seeds, so that no two uses of randomness ever share one.
ORDER, MASKS, VALIDATION = 1, 2, 3


Report = Callable[[Progress, float, float], None]


class Trainer:
    """One pretraining run.

    Parameters
    ----------
    corpus : Corpus
        What to learn from.
    directory : Path
        The run's directory: checkpoints, metrics, and at the end the model.
    tokenizer : ExLMTokenizer
    options : PretrainingOptions
    targets : sequence of TargetStore
        The targets of the molecule-level objectives.
    report : callable, optional
        Called after every step with the progress, the share of the run that is done, and the last training loss.
    log : callable, optional
        Called with a sentence whenever something happens that a user should know.
    """

    def __init__(
        self,
        corpus: Corpus,
        directory: Path,
        tokenizer: ExLMTokenizer,
        options: PretrainingOptions,
        targets: Sequence[TargetStore] = (),
        report: Report = lambda *_: None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.corpus, self.directory, self.tokenizer, self.options = corpus, directory, tokenizer, options
        self.targets, self.report, self.log = targets, report, log
        self.progress = Progress()
        AcceleratorState._reset_state()  # noqa: SLF001 - one process may train several models, each in its precision
        self.accelerator = Accelerator(
            cpu=options.device == "cpu",
            mixed_precision=resolve_precision(options.precision, options.device),
            step_scheduler_with_optimizer=False,
        )
        set_seed(options.seed)
        self.config = ExLMConfig.preset(
            options.preset,
            tokenizer.vocab_size,
            objective=options.objective,
            num_states=options.states,
            mask_token_id=tokenizer.mask_id,
            molecule_objectives={store.name: len(store.names) for store in targets},
        )
        model = ExLMForMaskedLM(self.config).train()
        for store in targets:
            if not store.is_regression:  # a new head says how often each bit is set, so its loss starts at the baseline
                share = torch.tensor(store.mean).clamp(1e-4, 1 - 1e-4)
                model.molecule_heads[store.name].get_parameter("bias").data.copy_(share.logit())
        if options.compile:
            model = torch.compile(model, dynamic=True)  # type: ignore[assignment]
        self.model, self.optimizer = self.accelerator.prepare(
            model, make_optimizer(model, options.learning_rate, options.weight_decay)
        )
        self.costs = expanded_lengths(corpus.lengths, self.config, options.mask_ratio)
        self._stop = StopRequest()

    def train(self, resume: bool = False) -> ExLMForMaskedLM:
        """Run to the end and return the model.

        Parameters
        ----------
        resume : bool
            Go on from the newest whole checkpoint of the directory, if there is one.

        Raises
        ------
        ExLMError
            When the loss is no number any more, or when a signal asked to stop (a checkpoint was written before).
        """
        if resume:
            self._resume()
        options, progress = self.options, self.progress
        last_checkpoint = time.monotonic()
        batches = self._batches(progress.step)
        with self._stop:
            while (share := self.share_done()) < 1:
                started = time.monotonic()
                loss, molecules, tokens = self._step(batches, share)
                progress.count(loss, molecules, tokens, time.monotonic() - started)
                if progress.step % RELEASE_EVERY == 0:
                    release_memory()
                share = self.share_done()
                self.report(progress, share, loss)
                if share >= 1 or share >= (progress.evaluations + 1) / options.evaluations:
                    self._measure(share)
                stop = self._stop_asked()
                if stop or share >= 1 or time.monotonic() - last_checkpoint > 60 * options.checkpoint_minutes:
                    self._save()
                    last_checkpoint = time.monotonic()
                if stop and share < 1:
                    by = self._stop.name or "a signal to another process"
                    advice = "the same command with --resume goes on from there"
                    raise ExLMError(f"stopped by {by} after step {progress.step}; {advice}.")
        model: ExLMForMaskedLM = self.accelerator.unwrap_model(self.model, keep_torch_compile=False)
        return model.eval()

    def share_done(self) -> float:
        """Share of the run that is done, by whichever limit is nearest."""
        options, progress = self.options, self.progress
        shares = [0.0]
        if options.max_steps is not None:
            shares.append(progress.step / options.max_steps)
        if options.epochs is not None:
            shares.append(progress.molecules / (options.epochs * len(self.corpus.train_rows)))
        if options.max_seconds is not None:
            shares.append(progress.seconds / options.max_seconds)
        return max(shares)

    def _step(self, batches: Iterator[Batch], share: float) -> tuple[float, int, int]:
        """One optimizer step; returns the mean loss and the molecules and tokens of all processes."""
        options, accelerator = self.options, self.accelerator
        learning_rate = options.learning_rate * learning_rate_factor(share, options.schedule)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        loss, counts = (
            torch.zeros((), device=accelerator.device),
            torch.zeros(2, dtype=torch.long, device=accelerator.device),
        )
        for part in range(options.accumulation):
            batch = next(batches).to(accelerator.device)
            last = part == options.accumulation - 1
            with nullcontext() if last else accelerator.no_sync(self.model):
                output = self.model(batch.input_ids, batch.labels, batch.molecule_targets)
                total = self._total_loss(output) / options.accumulation
                accelerator.backward(total)
            loss += total.detach()
            expanded = output.encoder.expansion.input_ids.shape
            counts += torch.tensor([expanded[0], expanded[0] * expanded[1]], device=counts.device)
        accelerator.clip_grad_norm_(self.model.parameters(), options.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        mean_loss = float(accelerator.reduce(loss, "mean"))
        if not np.isfinite(mean_loss):
            advice = "use a smaller --learning-rate or --precision fp32"
            raise ExLMError(f"the loss is {mean_loss} at step {self.progress.step}; {advice}.")
        molecules, tokens = accelerator.reduce(counts, "sum").tolist()
        return mean_loss, molecules, tokens

    def _total_loss(self, output: MaskedLMOutput) -> Tensor:
        """Add the molecule-level losses, each as a share of what knowing nothing of the molecule would cost."""
        total = output.loss
        for store in self.targets:
            total = total + self.options.molecule_weight * output.molecule_losses[store.name] / store.baseline
        return total

    def _batches(self, step: int) -> Iterator[Batch]:
        """All batches of this process from a step on, epoch after epoch, without end."""
        processes = self.accelerator.num_processes
        skip = step * self.options.accumulation * processes
        for epoch in itertools.count():
            generator = np.random.default_rng([ORDER, self.options.seed, epoch])
            rows = self.corpus.train_rows
            plan = plan_batches(rows, self.costs[rows], self.options.batch_tokens, generator)
            # Every process takes as many batches, or the last step would wait for ever.
            usable = len(plan) // processes * processes if len(plan) >= processes else len(plan)
            if skip >= usable:
                skip -= usable
                continue
            seed = (MASKS, self.options.seed, epoch)
            mine = range(skip + self.accelerator.process_index, usable, processes)
            dataset = Subset(self._masked(plan, seed), mine)
            # A generator of its own: otherwise the loader would draw from the numbers that dropout draws from.
            loader_seed = torch.Generator().manual_seed(self.options.seed)
            yield from DataLoader(dataset, batch_size=None, num_workers=self.options.num_workers, generator=loader_seed)
            skip = 0

    def _validation_batches(self) -> MaskedBatches:
        rows = self.corpus.validation_rows[:VALIDATION_MOLECULES]
        plan = plan_batches(rows, self.costs[rows], self.options.batch_tokens, np.random.default_rng(VALIDATION))
        return self._masked(plan, (VALIDATION,))

    def _masked(self, plan: BatchPlan, seed: tuple[int, ...]) -> MaskedBatches:
        options = self.options
        unmasked, targets = options.unmasked, self.targets
        return MaskedBatches(self.corpus, plan, self.tokenizer, options.mask_ratio, seed, unmasked, targets)

    def _measure(self, share: float) -> None:
        progress = self.progress
        with self.accelerator.autocast():
            batches = self._validation_batches()
            result = evaluate(self.model, (batches[i] for i in range(len(batches))), self.accelerator.device)
        progress.evaluations = int(share * self.options.evaluations + 1e-9)
        measurement = Measurement(
            step=progress.step,
            molecules=progress.molecules,
            tokens=progress.tokens,
            seconds=round(progress.seconds, 2),
            learning_rate=self.optimizer.param_groups[0]["lr"],
            train_loss=progress.window_loss / progress.window_steps,
            validation_loss=result["validation_loss"],
            validation_accuracy=result["validation_accuracy"],
            infeasible=int(result["infeasible"]),
            molecules_per_second=round(progress.window_molecules / progress.window_seconds, 1),
            validation_descriptors=result.get("validation_descriptors", math.nan),
            validation_ecfp=result.get("validation_ecfp", math.nan),
        )
        progress.window_loss, progress.window_steps, progress.window_molecules, progress.window_seconds = 0.0, 0, 0, 0.0
        progress.history.append(measurement)
        if self.accelerator.is_main_process:
            write_history(progress.history, self.directory)
            self.log(str(measurement))

    def _save(self) -> None:
        state = {"progress": asdict(self.progress), "options": asdict(self.options), "corpus": self.corpus.summary.key}
        save_checkpoint(self.accelerator, self.directory / "checkpoints", self.progress.step, state)

    def _resume(self) -> None:
        path, state, warnings = find_checkpoint(self.directory / "checkpoints")
        for warning in warnings:
            self.log(warning)
        if path is None:
            return
        # How long a run lasts, how it is watched and on what it runs may change; what it computes may not.
        limits = {"max_steps", "epochs", "max_seconds", "evaluations"}
        free = limits | {"checkpoint_minutes", "num_workers", "device", "compile"}
        ours = json.loads(json.dumps(asdict(self.options)))  # as it comes back from a checkpoint
        changed = [name for name, value in state["options"].items() if name not in free and ours.get(name) != value]
        if changed:
            option, value = f"--{changed[0].replace('_', '-')}", state["options"][changed[0]]
            raise ExLMError(f"{path} was made with another {option} ({value}); use that or another -o.")
        if state["corpus"] != self.corpus.summary.key:
            raise ExLMError(f"{path} was made from other molecules; give the same corpus or another -o.")
        self.accelerator.load_state(str(path))
        saved = state["progress"]
        self.progress = Progress(**{**saved, "history": [Measurement(**m) for m in saved["history"]]})
        self.log(f"resumed from {path.name}: {self.progress.molecules:,} molecules seen.")

    def _stop_asked(self) -> bool:
        asked = torch.tensor(int(self._stop.asked), device=self.accelerator.device)
        return bool(self.accelerator.reduce(asked, "sum"))


def expanded_lengths(lengths: NDArray[np.int64], config: ExLMConfig, mask_ratio: float) -> NDArray[np.int64]:
    """Longest that molecules of these many tokens can become by expansion."""
    if config.objective == "mlm":
        return lengths
    masked = np.ceil(mask_ratio * np.maximum(lengths - 2, 1)).astype(np.int64)
    longest: NDArray[np.int64] = lengths + (config.num_states - 1) * (masked + 2)
    return longest
