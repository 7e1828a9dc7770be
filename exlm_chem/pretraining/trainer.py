"""The training loop, on accelerate: from a corpus to a model, resumable at every step."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed

from exlm_chem.errors import ExLMError
from exlm_chem.machine import keep_memory, multiplication_speed, release_memory
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.modeling.flops import training_flops
from exlm_chem.pretraining.averaging import WeightAverage
from exlm_chem.pretraining.batch_plan import Plan
from exlm_chem.pretraining.batching import Batch, MaskedBatches, load_batches
from exlm_chem.pretraining.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from exlm_chem.pretraining.durations import readable_duration
from exlm_chem.pretraining.evaluation import evaluate
from exlm_chem.pretraining.initial_model import initial_model, make_config
from exlm_chem.pretraining.interruption import StopRequest
from exlm_chem.pretraining.measurements import Measurement, Progress, Window, draw_history, write_history
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.resumption import Stop
from exlm_chem.pretraining.total_loss import total_loss
from exlm_chem.pretraining.training_data import TrainingData
from exlm_chem.training.optimization import learning_rate_factor, make_optimizer

VALIDATION_MOLECULES = 1_000
RELEASE_EVERY = 20  # steps
# On a GPU the program runs ahead of the device; only every so many steps it waits, to read losses and clocks.
STEPS_AHEAD = 10
DRAW_SECONDS = 30  # at least, between two pictures of the curves; one takes as long as several small steps

Report = Callable[[Progress, float, float], None]


class Trainer:
    """One pretraining run.

    Parameters
    ----------
    data : TrainingData
        What to learn from.
    directory : Path
        The run's directory: checkpoints, metrics, and at the end the model.
    options : PretrainingOptions
    accelerator : Accelerator
        From `make_accelerator`.
    report : callable, optional
        Called when something is known of the last steps, with the progress, the share of the run that is done, and the
        last training loss.
    log : callable, optional
        Called with a sentence whenever something happens that a user should know.
    """

    def __init__(
        self,
        data: TrainingData,
        directory: Path,
        options: PretrainingOptions,
        accelerator: Accelerator,
        report: Report = lambda *_: None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.data, self.directory, self.options, self.accelerator = data, directory, options, accelerator
        self.report, self.log = report, log
        self.config = config = make_config(options, data.tokenizer, data.objective_sizes)
        keep_memory()
        set_seed(options.seed)
        model = initial_model(options, config, data.objective_values, log)
        if options.compile:
            for layer in model.model.encoder.layers:  # one layer's code serves all: minutes become seconds
                layer.compile(dynamic=True)
        optimizer = make_optimizer(model, options.optimizer, options.peak_learning_rate, options.weight_decay)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.average = WeightAverage(self._unwrapped(), options.ema) if options.ema else None
        plan = Plan(data.corpus, config, options.mask_ratio, options.unmasked, options.batch_tokens, options.seed)
        self.batches = MaskedBatches(
            plan,
            data.tokenizer,
            data.objective_values,
            options.randomise,
            options.mask_by,
            consistency=options.consistency > 0,
        )
        self.validation_plan = plan.validation(VALIDATION_MOLECULES)
        self.train_molecules = data.corpus.counts[0]
        device = self.accelerator.device
        self.steps_ahead = 1 if device.type == "cpu" else STEPS_AHEAD
        precision = {"no": "fp32"}.get(self.accelerator.mixed_precision, self.accelerator.mixed_precision)
        peak = 1e9 * multiplication_speed(str(device), seconds=0.2, precisions=[precision])[precision]
        self.progress = Progress(peak_flops=peak * self.accelerator.num_processes)
        self._loss = torch.zeros((), device=device)
        self._window = Window()  # of this process, since the last `read_clock`
        self._stop = StopRequest()
        self._clock = self._saved = self._drawn = 0.0

    def train(self) -> ExLMForMaskedLM:
        """Run to the end and return the model.

        Raises
        ------
        ExLMError
            When the loss is no number any more, or when a signal asked to stop (a checkpoint was written before).
        """
        options, progress = self.options, self.progress
        self.accelerator.init_trackers("exlm-chem", {"options": json.dumps(asdict(options))})
        batches = load_batches(
            self.batches,
            progress.batches,
            self.accelerator.process_index,
            self.accelerator.num_processes,
            options.num_workers,
            pin_memory=self.accelerator.device.type == "cuda",
        )
        self._clock = self._drawn = time.monotonic()
        self._saved = progress.seconds
        with self._stop:
            while (share := self.share_done()) < 1:
                self.take_step(batches, share)
                if progress.step % self.steps_ahead and self.share_done() < 1:
                    continue
                stop = self.read_clock()
                share = self.share_done()
                if share >= 1 or share >= (progress.evaluations + 1) / options.evaluations:
                    self._measure(share)
                if stop or share >= 1 or progress.seconds - self._saved >= 60 * options.checkpoint_minutes:
                    self._save()
                if stop and share < 1:
                    self._draw()
                    by = self._stop.name or "a signal to another process"
                    advice = "the same command with --resume goes on from there"
                    raise ExLMError(f"stopped by {by} after step {progress.step}; {advice}.")
        return self._trained().eval()

    def share_done(self) -> float:
        """Share of the run that is done, by whichever limit is nearest."""
        options, progress = self.options, self.progress
        shares = [0.0]
        if options.max_steps is not None:
            shares.append(progress.step / options.max_steps)
        if options.epochs is not None:
            shares.append(progress.molecules / (options.epochs * self.train_molecules))
        if options.max_seconds is not None:
            shares.append(progress.seconds / options.max_seconds)
        return max(shares)

    def take_step(self, batches: Iterator[Batch], share: float) -> None:
        """One optimizer step. Nothing in it waits for a GPU."""
        options, accelerator = self.options, self.accelerator
        for group in self.optimizer.param_groups:
            group["lr"] = options.peak_learning_rate * learning_rate_factor(share, options.schedule)
        for part in range(options.accumulation):
            batch = next(batches)
            self._count(batch)
            batch = batch.to(accelerator.device)
            last = part == options.accumulation - 1
            with nullcontext() if last else accelerator.no_sync(self.model):
                guided = share < options.guided
                output = self.model(batch.inputs, batch.molecule_targets, guided=guided, others=batch.others)
                total = total_loss(output, self.data.objective_values, options) / options.accumulation
                accelerator.backward(total)
            self._loss += total.detach()
        accelerator.clip_grad_norm_(self.model.parameters(), options.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update(self._unwrapped(), self.progress.step)
        self.progress.step += 1
        self.progress.batches += options.accumulation * accelerator.num_processes
        self._window.steps += 1
        if self.progress.step % RELEASE_EVERY == 0:
            release_memory()

    def _count(self, batch: Batch) -> None:
        window = self._window
        window.molecules += batch.molecules
        window.tokens += batch.tokens
        window.places += batch.places
        window.flops += training_flops(self.config, batch.inputs)

    def read_clock(self) -> bool:
        """Add up what all processes did since the last time; say whether one of them was asked to stop.

        All processes learn the same, so that they agree on how far the run is.
        """
        accelerator, progress, window = self.accelerator, self.progress, self._window
        loss = float(self._loss)  # waits for the device
        now = time.monotonic()
        window.seconds = now - self._clock if accelerator.is_main_process else 0.0
        numbers = [loss, window.molecules, window.tokens, window.places, window.flops / 1e9, window.seconds]
        asked = self._stop.asked
        if accelerator.num_processes > 1:
            together = torch.tensor([*numbers, float(asked)], dtype=torch.float32, device=accelerator.device)
            *numbers, stops = accelerator.reduce(together, "sum").tolist()
            asked = stops > 0
        loss = numbers[0] / accelerator.num_processes
        if not math.isfinite(loss):
            advice = "use a smaller --learning-rate or --precision fp32"
            raise ExLMError(f"the loss is {loss} at step {progress.step}; {advice}.")
        molecules, tokens, places = (round(number) for number in numbers[1:4])
        done = Window(loss, window.steps, molecules, tokens, places, 1e9 * numbers[4], numbers[5])
        progress.molecules += done.molecules
        progress.tokens += done.tokens
        progress.seconds += done.seconds
        progress.window += done
        self._loss, self._window, self._clock = torch.zeros_like(self._loss), Window(), now
        self.report(progress, self.share_done(), loss / done.steps)
        return asked or (accelerator.num_processes == 1 and self._stop.asked)

    def _evaluations_at(self, share: float) -> int:
        return int(share * self.options.evaluations + 1e-9)

    def _measure(self, share: float) -> None:
        progress, window = self.progress, self.progress.window
        model: Any = self.model if self.average is None else self.average.module
        with self.accelerator.autocast():
            validation = self.batches.validation(self.validation_plan)
            result = evaluate(model, validation, self.accelerator.device, self.data.label_baselines)
        progress.evaluations = self._evaluations_at(share)
        measurement = Measurement(
            step=progress.step,
            molecules=progress.molecules,
            tokens=progress.tokens,
            seconds=round(progress.seconds, 2),
            learning_rate=self.optimizer.param_groups[0]["lr"],
            train_loss=window.loss / window.steps,
            molecules_per_second=round(window.molecules / window.seconds, 1),
            tokens_per_second=round(window.tokens / window.seconds),
            gemm_share=round(progress.gemm_share, 4),
            padding=round(1 - window.tokens / window.places, 4),
            **result,
        )
        progress.window = Window()
        progress.history.append(measurement)
        numbers = {name: value for name, value in asdict(measurement).items() if not math.isnan(value)}
        self.accelerator.log(numbers, step=progress.step)
        if self.accelerator.is_main_process:
            write_history(progress.history, self.directory)
            if share >= 1 or time.monotonic() - self._drawn >= DRAW_SECONDS:
                self._draw()
            self.log(f"{measurement}, {readable_duration(progress.seconds * max(0.0, 1 / share - 1))} left")
        self._clock = time.monotonic()

    def _draw(self) -> None:
        if self.accelerator.is_main_process:
            draw_history(self.progress.history, self.directory)
            self._drawn = time.monotonic()

    def _save(self) -> None:
        state = {
            "progress": asdict(self.progress),
            "options": asdict(self.options),
            "corpus": self.data.corpus.summary.key,
        }
        directory = self.directory / "checkpoints"
        save_checkpoint(self.accelerator, directory, self.progress.step, self._training_state(), state)
        self._saved, self._clock = self.progress.seconds, time.monotonic()

    def resume(self, stop: Stop) -> None:
        """Go on from where `find_stop` says that the run stopped, be it longer now than before; nothing is written.

        Raises
        ------
        ExLMError
            When the checkpoint does not fit this run.
        """
        load_checkpoint(self.accelerator, stop.path, self._training_state(), stop.scaler)
        self.progress = replace(stop.progress, peak_flops=self.progress.peak_flops)
        self.progress.evaluations = min(self.progress.evaluations, self._evaluations_at(self.share_done()))
        self.log(f"resumed from {stop.path.name}: {self.progress.molecules:,} molecules seen.")

    def _training_state(self) -> TrainingState:
        average = None if self.average is None else self.average.module
        return TrainingState(self._unwrapped(), self.optimizer.optimizer, average, self.accelerator.scaler)

    def _unwrapped(self) -> ExLMForMaskedLM:
        unwrapped: ExLMForMaskedLM = self.accelerator.unwrap_model(self.model)
        return unwrapped

    def _trained(self) -> ExLMForMaskedLM:
        """The model to be saved: averaged if asked for, whole in the first process."""
        if self.average is not None:
            return self.average.module
        if not self.options.fsdp:
            return self._unwrapped()
        weights, whole = self.accelerator.get_state_dict(self.model), ExLMForMaskedLM(self.config)
        if self.accelerator.is_main_process:
            whole.load_state_dict(weights)
        return whole
