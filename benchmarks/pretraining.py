"""Claim: how fast a pretraining step is, where its time goes, and what it costs beside plain masked language models.

Everything is measured in turn in one process (A B C A B C ...), so that only ratios have to be believed: the machine
may be shared. Peers: our plain masked language model ("mlm") and Hugging Face's RoBERTa of the same width and depth,
on the same molecules with the same masks. Writes ``benchmarks/results/pretraining.json``.

    python benchmarks/pretraining.py ../shared/corpus/corpus-00.smi.gz
    python benchmarks/pretraining.py ../shared/corpus/corpus-00.smi.gz --only reference
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from exlm_chem.machine import devices, keep_memory, multiplication_speed, versions
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM, prepare_inputs
from exlm_chem.modeling.alignment import log_likelihood
from exlm_chem.modeling.flops import training_flops
from exlm_chem.modeling.inputs import NOT_A_TARGET, MaskedInputs
from exlm_chem.pretraining.accelerator import make_accelerator
from exlm_chem.pretraining.batch_plan import Plan, longest_molecule
from exlm_chem.pretraining.batching import MaskedBatches, load_batches
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.corpus_builder import build_corpus
from exlm_chem.pretraining.initial_model import make_config
from exlm_chem.pretraining.objective_values import build_objective_values
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.trainer import Trainer
from exlm_chem.pretraining.training_data import TrainingData
from exlm_chem.tokenizer import ExLMTokenizer
from exlm_chem.training.optimization import make_optimizer

ROOT = Path(__file__).parent.parent
TOKENIZER = ExLMTokenizer()
THREADS = 2
# The authors' code in the configuration "reference" on a quiet machine (2 threads, torch 2.13.0), from measurements
# made for this project; their code is not installed here.
AUTHORS = {"exlm_seconds": 1.28, "mlm_seconds": 0.65, "exlm_mib_above_imports": 1360}
BATCH_TOKENS = {"small": 8192, "base": 2048}

Step = Callable[[], object]


def main() -> None:
    """Measure everything and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+", help="SMILES files")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--memory", choices=("exlm", "mlm", "roberta"), help="for the script itself: print MiB of one step"
    )
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--only", nargs="+", metavar="PART", help="measure these parts anew, keep the others")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "benchmarks/results/pretraining.json")
    args = parser.parse_args()
    torch.set_num_threads(THREADS)
    keep_memory()
    if args.memory:
        print(memory_of_a_step(args.memory, args.precision))
        return
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(build_corpus(args.corpus, TOKENIZER, check=False, cache=folder))
        content = json.loads(args.output.read_text(encoding="utf-8")) if args.only else {}
        for name, measure in parts(corpus, args.corpus, args.rounds).items():
            if not args.only or name in args.only:
                content[name] = measure()
        content |= {"device": devices(), "versions": versions(), "python": platform.python_version()}
    args.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=2))


def parts(corpus: Corpus, files: list[str], rounds: int) -> dict[str, Callable[[], Any]]:
    """What is measured, by its name in the result."""
    return {
        "gemm_gflops": multiplication_speed,
        "reference": lambda: reference(rounds, files),
        "small": lambda: real_molecules("small", corpus, rounds),
        "base": lambda: real_molecules("base", corpus, rounds),
        "engine": lambda: engine(corpus, rounds),
        "molecule_objectives": lambda: molecule_objectives(corpus, rounds),
        "padding": lambda: padding(corpus),
        "gflop_per_molecule": lambda: cost_per_molecule(corpus),
    }


def in_turn(steps: dict[str, Step], rounds: int) -> dict[str, float]:
    """Median seconds of every step, after two rounds that do not count; every other round goes backwards.

    (Whoever comes first with a new batch has to ask the system for memory of its sizes, and the next finds it.)
    """
    times: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 2):
        for name, step in list(steps.items())[:: 1 if number % 2 else -1]:
            started = time.perf_counter()
            step()
            if number >= 2:
                times[name].append(time.perf_counter() - started)
    return {name: round(statistics.median(seconds), 4) for name, seconds in times.items()}


def reference_batch() -> tuple[Tensor, Tensor]:
    """64 rows of 40 random tokens with 6 masks each, vocabulary 100."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 100, (64, 40), generator=generator)
    ids[:, 0], ids[:, -1] = 0, 2
    masks = torch.stack([torch.randperm(38, generator=generator)[:6] + 1 for _ in range(64)])
    labels = torch.full_like(ids, NOT_A_TARGET).scatter(1, masks, ids.gather(1, masks))
    return ids.scatter(1, masks, 4), labels


def reference_config(objective: Any) -> ExLMConfig:
    """6 layers x 256, 8 heads, dropout 0.1."""
    return ExLMConfig(vocab_size=100, objective=objective, hidden_dropout=0.1, attention_dropout=0.1)


def ours(config: ExLMConfig, inputs: MaskedInputs, precision: str) -> Step:
    """Forward pass, loss and backward pass of our model."""
    model = ExLMForMaskedLM(config).train()

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = model(inputs).loss
        loss.backward()
        model.zero_grad()

    return step


def roberta(config: ExLMConfig, ids: Tensor, labels: Tensor, precision: str) -> Step:
    """The same of Hugging Face's RoBERTa; its positions are learned, its attention is torch's fused one."""
    from transformers import RobertaConfig, RobertaForMaskedLM

    made = RobertaConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        intermediate_size=config.intermediate_size,
        max_position_embeddings=1026,
        hidden_dropout_prob=config.hidden_dropout,
        attention_probs_dropout_prob=config.attention_dropout,
        pad_token_id=config.pad_token_id,
    )
    model = RobertaForMaskedLM(made).train()
    mask = (ids != config.pad_token_id).long()

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        model.zero_grad()

    return step


def reference(rounds: int, corpus: list[str]) -> dict[str, Any]:
    """Compare in the configuration in which the authors' code was measured."""
    ids, labels = reference_batch()
    result: dict[str, Any] = {"authors": AUTHORS}
    steps: dict[str, Step] = {}
    for precision in ("fp32", "bf16"):
        for objective in ("exlm", "mlm"):
            config = reference_config(objective)
            steps[f"{objective} {precision}"] = ours(config, prepare_inputs(config, ids, labels), precision)
        steps[f"roberta {precision}"] = roberta(reference_config("mlm"), ids, labels, precision)
    seconds = in_turn(steps, rounds)
    result["seconds"] = seconds
    result["token_ratio"] = 64 / 40
    result["ratios"] = {
        **_ratios(seconds, 64 / 40),
        "exlm bf16 / authors' exlm": round(seconds["exlm bf16"] / AUTHORS["exlm_seconds"], 3),
        "exlm fp32 / authors' exlm": round(seconds["exlm fp32"] / AUTHORS["exlm_seconds"], 3),
    }
    result["mib_above_imports"] = {
        f"{model} {precision}": int(
            subprocess.run(
                [sys.executable, __file__, *corpus, "--memory", model, "--precision", precision],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()[-1]
        )
        for model in ("exlm", "mlm", "roberta")
        for precision in ("fp32", "bf16")
    }
    return result


def _ratios(seconds: dict[str, float], token_ratio: float) -> dict[str, float]:
    ratios = {"mlm bf16 / roberta fp32": seconds["mlm bf16"] / seconds["roberta fp32"]}
    for precision in ("fp32", "bf16"):
        exlm, mlm, peer = (seconds[f"{name} {precision}"] for name in ("exlm", "mlm", "roberta"))
        ratios[f"exlm / (token ratio x mlm) {precision}"] = exlm / mlm / token_ratio
        ratios[f"mlm / roberta {precision}"] = mlm / peer
    return {name: round(ratio, 3) for name, ratio in ratios.items()}


def memory_of_a_step(name: str, precision: str) -> int:
    """Largest resident memory of three steps, in MiB above what the process had before."""
    ids, labels = reference_batch()
    config = reference_config("exlm" if name == "exlm" else "mlm")
    make = roberta if name == "roberta" else None
    step = (
        make(config, ids, labels, precision) if make else ours(config, prepare_inputs(config, ids, labels), precision)
    )
    before = peak_memory()
    for _ in range(3):
        step()
    return peak_memory() - before


def peak_memory() -> int:
    """Largest resident memory of this process (not of the one that started it, as getrusage has it), in MiB."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def make_plan(corpus: Corpus, preset: Any, objective: Any, batch_tokens: int) -> tuple[ExLMConfig, Plan]:
    """Plan batches of real molecules as a run does."""
    options = PretrainingOptions(preset=preset, objective=objective, batch_tokens=batch_tokens)
    config = make_config(options, TOKENIZER)
    fitting = Corpus(corpus.directory, 0.0, longest_molecule(config, options.mask_ratio, batch_tokens))
    return config, Plan(fitting, config, options.mask_ratio, 0.0, batch_tokens, seed=0)


def real_molecules(preset: str, corpus: Corpus, rounds: int) -> dict[str, Any]:
    """Compare on a batch of real molecules, and take the step apart."""
    config, plan = make_plan(corpus, preset, "exlm", BATCH_TOKENS[preset])
    batches = MaskedBatches(plan, TOKENIZER)
    pool = plan.pool(0, 0)
    # The batch of the median length stands for all.
    number = sorted(range(len(pool)), key=lambda n: plan.corpus.lengths(pool[n][0]).max())[len(pool) // 2]
    ids, labels = batches.tokens((0, 0, number))
    mlm_config = replace(config, objective="mlm")
    inputs, mlm_inputs = prepare_inputs(config, ids, labels), prepare_inputs(mlm_config, ids, labels)
    token_ratio = inputs.expansion.input_ids.numel() / ids.numel()
    steps: dict[str, Step] = {}
    for precision in ("fp32", "bf16"):
        steps[f"exlm {precision}"] = ours(config, inputs, precision)
        steps[f"mlm {precision}"] = ours(mlm_config, mlm_inputs, precision)
        steps[f"roberta {precision}"] = roberta(mlm_config, ids, labels, precision)
    seconds = in_turn(steps, rounds)
    peak = multiplication_speed()
    flops = training_flops(config, inputs)
    return {
        "batch": {
            "molecules": len(ids),
            "tokens": ids.numel(),
            "expanded_tokens": inputs.expansion.input_ids.numel(),
            "states": inputs.state_positions.numel(),
        },
        "seconds": seconds,
        "token_ratio": round(token_ratio, 3),
        "ratios": _ratios(seconds, token_ratio),
        "molecules_per_second": {name: round(len(ids) / value, 1) for name, value in seconds.items()},
        "gemm_share": {
            precision: round(flops / seconds[f"exlm {precision}"] / peak[precision] / 1e9, 3)
            for precision in ("fp32", "bf16")
        },
        "split": {precision: split(config, inputs, precision, rounds) for precision in ("fp32", "bf16")},
    }


def split(config: ExLMConfig, inputs: MaskedInputs, precision: str, rounds: int) -> dict[str, Any]:
    """Measure the parts of a step, each forward and backward on the tensors that it sees in the whole."""
    model = ExLMForMaskedLM(config).train()
    optimizer = make_optimizer(model, "adamw", 1e-4, 0.01)

    def context() -> Any:
        return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")

    with context():
        output = model(inputs)
    output.loss.backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
    features = output.encoder.last_hidden_state.detach()
    states = features[inputs.rows[:, None], inputs.state_positions]
    graph = output.graph
    assert graph is not None  # noqa: S101
    assert model.transitions is not None  # noqa: S101
    transition_head = model.transitions
    finite = graph.transitions.detach().isfinite()

    def encoder() -> None:
        with context():
            result = model.model.encode(inputs.expansion).last_hidden_state
        result.backward(torch.ones_like(result))

    def head() -> None:
        given = states.clone().requires_grad_()
        with context():
            log_probs = model.score(given).float().log_softmax(-1).transpose(1, 2)
            match = log_probs.gather(1, inputs.targets[:, :, None].expand(-1, -1, given.shape[1]))
        match.backward(torch.ones_like(match))

    def transitions() -> None:
        given = states.clone().requires_grad_()
        with context():
            result = transition_head(given, inputs.state_positions, inputs.state_mask)
        result.backward(finite.to(result.dtype))

    def alignment() -> None:
        scores = [values.detach().clone().requires_grad_() for values in (graph.match, graph.transitions)]
        log_likelihood(scores[0], scores[1], graph.target_length, graph.state_length).sum().backward()

    def optimize() -> None:
        for parameter, gradient in zip((p for p in model.parameters() if p.grad is not None), gradients, strict=True):
            parameter.grad = gradient
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    parts: dict[str, Step] = {
        "encoder": encoder,
        "head": head,
        "transitions": transitions,
        "alignment": alignment,
        "optimizer": optimize,
    }
    seconds = in_turn(parts, rounds)
    total = sum(seconds.values())
    return {"seconds": seconds, "shares": {name: round(value / total, 4) for name, value in seconds.items()}}


def engine(corpus: Corpus, rounds: int) -> dict[str, Any]:
    """Compare a step of the trainer with the same computation in a bare loop over batches that are ready."""
    rounds += rounds % 2  # as often forwards as backwards
    options = PretrainingOptions(preset="small", max_steps=10_000, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        accelerator = make_accelerator(options, Path(folder))
        config, plan = make_plan(corpus, "small", "exlm", options.batch_tokens)
        trainer = Trainer(TrainingData(plan.corpus, TOKENIZER), Path(folder), options, accelerator)
        model = ExLMForMaskedLM(config).train()
        optimizer = make_optimizer(model, "adamw", options.peak_learning_rate, options.weight_decay)
        # Both see the same batches: every one costs another time.
        ready = list(itertools.islice(load_batches(trainer.batches, 0, 0, 1, 0, pin_memory=False), rounds + 2))
        prepared, fetched = iter(ready), load_batches(trainer.batches, 0, 0, 1, 0, pin_memory=False)
        precision = trainer.accelerator.mixed_precision

        def bare() -> None:
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                loss = model(next(prepared).inputs).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip)
            optimizer.step()
            optimizer.zero_grad()

        def whole() -> None:
            trainer.take_step(fetched, 0.5)
            trainer.read_clock()

        seconds = in_turn({"bare": bare, "trainer": whole}, rounds)
        again = load_batches(trainer.batches, 0, 0, 1, 0, pin_memory=False)
        started = time.perf_counter()
        molecules = sum(next(again).molecules for _ in range(50))
        preparing = (time.perf_counter() - started) / 50
    return {
        "seconds": seconds,
        "overhead": round(seconds["trainer"] / seconds["bare"] - 1, 4),
        "preparing_a_batch_seconds": round(preparing, 5),
        "preparing_share_of_step": round(preparing / seconds["trainer"], 4),
        "molecules_prepared_per_second": round(molecules / preparing / 50),
    }


def molecule_objectives(corpus: Corpus, rounds: int) -> dict[str, Any]:
    """Measure what the molecule-level heads cost in a step, and how fast their targets are computed."""
    some, speed = 60_000, {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "some.smi"
        file.write_text("\n".join(TOKENIZER.decode(corpus[row].tolist()) for row in range(some)))
        small = Corpus(build_corpus([file], TOKENIZER, check=False, cache=folder))
        stores = []
        for name in ("descriptors", "ecfp"):
            started = time.perf_counter()
            stores.append(build_objective_values(small, name, "lossless"))
            speed[name] = round(some / (time.perf_counter() - started))
        config, _ = make_plan(small, "small", "exlm", 8192)
        config = replace(config, molecule_objectives={store.name: len(store.names) for store in stores})
        batch = MaskedBatches(Plan(small, config, 0.15, 0.0, 8192, 0), TOKENIZER, stores)[0, 0, 3]
        model = ExLMForMaskedLM(config).train()

        def step(with_heads: bool) -> None:
            with torch.autocast("cpu", torch.bfloat16):
                output = model(batch.inputs, batch.molecule_targets if with_heads else None)
                loss = output.loss + sum(output.molecule_losses.values())
            loss.backward()
            model.zero_grad()

        seconds = in_turn({"without": lambda: step(False), "with": lambda: step(True)}, 3 * rounds)
    return {
        "seconds": seconds,
        "cost": round(seconds["with"] / seconds["without"] - 1, 4),
        "target_molecules_per_second": speed,
    }


def padding(corpus: Corpus) -> dict[str, float]:
    """Share of the tokens in batches of a whole pool that are padding."""
    result = {}
    for objective in ("exlm", "mlm"):
        for unmasked in (0.0, 0.3):
            _, plan = make_plan(corpus, "small", objective, 8192)
            plan = replace(plan, unmasked=unmasked)
            batches = MaskedBatches(plan, TOKENIZER)
            made = [batches[0, 0, number] for number in range(len(plan.pool(0, 0)))]
            share = 1 - sum(batch.tokens for batch in made) / sum(batch.places for batch in made)
            result[f"{objective}, {unmasked:.0%} of the molecules unmasked"] = round(share, 5)
    return result


def cost_per_molecule(corpus: Corpus) -> dict[str, float]:
    """Count the floating-point operations (in 1e9) that a molecule of the corpus costs in training, by preset."""
    result = {}
    for preset in ("tiny", "small", "base", "paper"):
        config, plan = make_plan(corpus, preset, "exlm", 8192)
        batches = MaskedBatches(plan, TOKENIZER)
        made = [batches[0, 0, number] for number in range(len(plan.pool(0, 0)))]
        flops = sum(training_flops(config, batch.inputs) for batch in made)
        result[preset] = round(flops / sum(batch.molecules for batch in made) / 1e9, 3)
    return result


if __name__ == "__main__":
    main()
