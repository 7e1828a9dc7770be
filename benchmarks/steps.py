"""Steps of pretraining that benchmarks measure: ours, the peer's, on random tokens or on real molecules, in turn.

Everything of one benchmark is measured in turn in one process (A B C A B C ...), so that only ratios have to be
believed: the machine may be shared.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from benchmarks.writer import arguments, write_result
from exlm_chem.machine import keep_memory
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
from exlm_chem.modeling.inputs import NOT_A_TARGET, MaskedInputs
from exlm_chem.pretraining.batch_plan import Plan, longest_molecule
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.corpus_builder import build_corpus
from exlm_chem.pretraining.initial_model import make_config
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.tokenizer import ExLMTokenizer

TOKENIZER = ExLMTokenizer()
THREADS = 2

Step = Callable[[], object]


def as_a_run_does() -> None:
    """Set threads and memory as pretraining has them."""
    torch.set_num_threads(THREADS)
    keep_memory()


@contextmanager
def prepared(files: Sequence[str]) -> Iterator[Corpus]:
    """Prepare a corpus for as long as it is needed."""
    as_a_run_does()
    with tempfile.TemporaryDirectory() as folder:
        yield Corpus(build_corpus(files, TOKENIZER, check=False, cache=folder))


def measure_corpus(name: str, description: str | None, measure: Callable[[Corpus, int], dict[str, Any]]) -> None:
    """Be the ``main`` of a script that measures something of a corpus, in so many rounds."""
    parser = arguments(name, description)
    parser.add_argument("corpus", nargs="+", help="SMILES files")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    with prepared(args.corpus) as corpus:
        write_result(args.output, measure(corpus, args.rounds))


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


def make_plan(corpus: Corpus, preset: Any, objective: Any, batch_tokens: int) -> tuple[ExLMConfig, Plan]:
    """Plan batches of real molecules as a run does."""
    options = PretrainingOptions(preset=preset, objective=objective, batch_tokens=batch_tokens)
    config = make_config(options, TOKENIZER)
    fitting = Corpus(corpus.directory, 0.0, longest_molecule(config, options.mask_ratio, batch_tokens))
    return config, Plan(fitting, config, options.mask_ratio, 0.0, batch_tokens, seed=0)
