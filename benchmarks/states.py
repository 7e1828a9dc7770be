"""Claim: spreading the paths over the states lowers no loss; lanes, in which a state follows that of its number, do.

One small plain masked language model is trained; from its weights every rule goes on, all on the same molecules with
the same masks in the same order, and so does the plain model. Each is measured on the same masked molecules, which it
has not seen. Writes ``benchmarks/results/states.json`` after every run, and goes on from it.

    python -m benchmarks.states --first 2000 --steps 250 --seeds 1
"""

from __future__ import annotations

import gzip
import time
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.writer import arguments, write_result
from exlm_chem.analysis.masked import MaskedMolecules, MaskKind, mask_ids
from exlm_chem.data import data_path
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
from exlm_chem.modeling.alignment import log_likelihood, path_entropy
from exlm_chem.modeling.inputs import MaskedInputs, prepare_inputs
from exlm_chem.modeling.marginals import state_shares
from exlm_chem.modeling.masked_scores import own_states
from exlm_chem.modeling.outputs import StateGraph
from exlm_chem.storage import read_json
from exlm_chem.terms import Objective
from exlm_chem.tokenizer import ExLMTokenizer
from exlm_chem.training.optimization import learning_rate_factor, make_optimizer

HELD_OUT = 500
BATCH = 32
SIZE: dict[str, Any] = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 256}
GUIDED = 0.3
LEARNING_RATE = 3e-3
MEASURED: tuple[tuple[MaskKind, float], ...] = (("token", 0.2), ("span", 0.4), ("fragment", 0.3))
PLAIN = {"mlm": 1.0, "mlm, as long": 5.5}
"""The plain model, by how many times the steps of the others; 5.5 times take as long."""
USED = 0.05  # a state with a larger share of a mask's posterior is in use


@dataclass(frozen=True)
class Rule:
    """What differs from the published training.

    Attributes
    ----------
    dropout : float
        Each state of a mask is forbidden with this probability (one at least is kept), to the end of the run.
    temperature : float
        The posterior over the paths is that of scores divided by it: the sum is the largest ``expected score +
        temperature x entropy``, so this is the bonus on the paths' entropy, too. It falls to 1 at 70 % of the run.
    inputs : float
        Standard deviation of a learned embedding of the state, added at the input; 0 for none.
    graph : {"full", "own", "lanes"}
        "own": a token is emitted by its own states only, and transitions lead to those of the next mask only.
        "lanes": state s is followed by state s, and all are equally probable: a mixture of k products.
    """

    dropout: float = 0.0
    temperature: float = 1.0
    inputs: float = 0.0
    graph: str = "full"


RULES = {
    "as published": Rule(),
    "lanes, tempered, inputs": Rule(graph="lanes", temperature=3.0, inputs=0.5),
    "lanes": Rule(graph="lanes"),
    "lanes, tempered": Rule(graph="lanes", temperature=3.0),
    "own states, tempered, inputs": Rule(graph="own", temperature=3.0, inputs=0.5),
    "lanes, inputs": Rule(graph="lanes", inputs=0.5),
    "tempered, inputs": Rule(temperature=3.0, inputs=0.5),
    "state dropout": Rule(dropout=0.5),
    "tempered": Rule(temperature=3.0),
    "inputs": Rule(inputs=0.5),
}


class RuledModel(ExLMForMaskedLM):
    """The masked language model, trained by a rule."""

    def __init__(self, config: ExLMConfig, rule: Rule) -> None:
        super().__init__(config)
        self.rule = rule
        if rule.inputs:
            told = StateInput(config, rule.inputs)
            self.model.encoder.dropout = told  # type: ignore[assignment]
            self.model.encoder.register_forward_pre_hook(lambda _, given: told.remember(given[0].state_index))

    def scores(self, inputs: MaskedInputs) -> StateGraph:
        """Give the graph of the rule."""
        graph: StateGraph = self(inputs).graph
        if self.rule.graph == "full":
            return graph
        return restrict(graph, self.config.num_states, lanes=self.rule.graph == "lanes")

    def surprise(self, inputs: MaskedInputs, share: float) -> Tensor:
        """Give the loss of a batch at a share of the run."""
        if self.config.objective == "mlm":
            plain: Tensor = self(inputs).loss
            return plain
        graph, rule = self.scores(inputs), self.rule
        match, transitions = graph.match, graph.transitions
        if share < GUIDED and rule.graph == "full":
            match = match.masked_fill(~own_states(match, self.config.num_states), -torch.inf)
        if rule.dropout:
            match = match.masked_fill(dropped(graph, rule.dropout, self.config.num_states)[:, None], -torch.inf)
        heat = 1 + (rule.temperature - 1) * max(0.0, 1 - share / 0.7)
        sizes = graph.target_length, graph.state_length
        likelihood = heat * log_likelihood(match / heat, transitions / heat, *sizes)
        surprise: Tensor = -(likelihood / graph.target_length).mean()
        return surprise


class StateInput(nn.Module):
    """Adds a learned embedding of the state to the input of the encoder."""

    def __init__(self, config: ExLMConfig, std: float) -> None:
        super().__init__()
        self.table = nn.Embedding(config.num_states + 1, config.hidden_size, padding_idx=0)
        nn.init.normal_(self.table.weight[1:], std=std)
        self.index: Tensor | None = None

    def remember(self, index: Tensor) -> None:
        """Keep which state stands where, until the input is made."""
        self.index = index

    def forward(self, hidden: Tensor) -> Tensor:
        """Add it."""
        assert self.index is not None  # noqa: S101 - for the type checker
        told: Tensor = hidden + self.table(self.index)
        return told


def restrict(graph: StateGraph, num_states: int, lanes: bool) -> StateGraph:
    """Leave only transitions from a mask's states to the next mask's, made to sum to 1 again."""
    token = torch.arange(graph.transitions.shape[1]) // num_states
    state = torch.arange(len(token)) % num_states
    end = graph.state_length[:, None, None] - 1
    at_end = torch.arange(len(token)) == end
    to_last = token == end // num_states
    allowed = (token[:, None] + 1 == token) & (~to_last | at_end)  # of </s> only the state at which a path must end
    scores = graph.transitions
    if lanes:
        allowed = allowed & ((token[:, None] == 0) | to_last | (state[:, None] == state))
        scores = torch.zeros_like(scores)
    scores = scores.masked_fill(~allowed, -torch.inf)
    blocked = (scores == -torch.inf).all(-1, keepdim=True)  # nothing follows; its sum would have no gradient
    scores = (scores - scores.masked_fill(blocked, 0.0).logsumexp(-1, keepdim=True)).masked_fill(blocked, -torch.inf)
    return replace(graph, transitions=scores)


def dropped(graph: StateGraph, probability: float, num_states: int) -> Tensor:
    """Draw the states that are forbidden, bool of shape (R, S); of every mask one is kept, of the ends all are."""
    chances = torch.rand(len(graph.match), graph.match.shape[2] // num_states, num_states)
    forbidden = (chances < probability) & (chances < chances.amax(2, keepdim=True))
    forbidden[:, 0] = False
    forbidden[torch.arange(len(forbidden)), graph.target_length - 1] = False
    return forbidden.flatten(1)


def main() -> None:
    """Make all runs that the result does not have yet."""
    parser = arguments("states", __doc__)
    parser.add_argument("--first", type=int, default=2000, help="steps of the model from which all start")
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--kind", default="span")
    parser.add_argument("--ratio", type=float, default=0.4)
    parser.add_argument("--rules", nargs="+", default=[*PLAIN, *RULES])
    args = parser.parse_args()
    setting = {"first": args.first, "steps": args.steps, "batch": BATCH, "kind": args.kind, "ratio": args.ratio}
    tokenizer = ExLMTokenizer()
    ids = token_ids(tokenizer)
    results = read_json(args.output)["results"] if args.output.exists() else {}
    for seed in range(args.seeds):
        for name in args.rules:
            key = f"{args.kind} {args.ratio:g}, {name}, seed {seed}"
            if key in results:
                continue
            results[key] = {"rule": name, "seed": seed} | setting | run(ids, tokenizer, name, seed, setting)
            print(key, {k: v for k, v in results[key].items() if isinstance(v, dict)}, flush=True)
            write_result(args.output, {"results": results})


def token_ids(tokenizer: ExLMTokenizer) -> Any:
    """Read the molecules of the package; the first are held out."""
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as file:
        return tokenizer.pad([tokenizer.encode(line.split()[0]) for line in file])


def run(ids: Any, tokenizer: ExLMTokenizer, name: str, seed: int, setting: dict[str, Any]) -> dict[str, Any]:
    """Go on from the common weights by a rule, and measure."""
    torch.manual_seed(seed)
    model = RuledModel(configuration(tokenizer, "mlm" if name in PLAIN else "exlm"), RULES.get(name, Rule()))
    model.load_state_dict(first_weights(seed, setting["first"], setting["kind"], setting["ratio"]), strict=False)
    started = time.process_time()
    steps = round(PLAIN.get(name, 1) * setting["steps"])
    train(model, ids, tokenizer, (seed, 1), steps, setting)
    seconds = time.process_time() - started
    held_out = {
        f"{kind} {ratio:g}": mask_ids(ids[:HELD_OUT], tokenizer, kind, ratio, np.random.default_rng(0))
        for kind, ratio in MEASURED
    }
    return {"steps": steps, "cpu_seconds": round(seconds, 1)} | {
        kind: measure(model.eval(), masked) for kind, masked in held_out.items()
    }


@cache
def first_weights(seed: int, steps: int, kind: MaskKind, ratio: float) -> dict[str, Tensor]:
    """Train the plain model from which all runs of a seed start."""
    tokenizer = ExLMTokenizer()
    torch.manual_seed(seed)
    model = RuledModel(configuration(tokenizer, "mlm"), Rule())
    train(model, token_ids(tokenizer), tokenizer, (seed, 0), steps, {"kind": kind, "ratio": ratio})
    return model.state_dict()


def configuration(tokenizer: ExLMTokenizer, objective: Objective) -> ExLMConfig:
    """Make the configuration of the small models."""
    return ExLMConfig(tokenizer.vocab_size, mask_token_id=tokenizer.mask_id, objective=objective, **SIZE)


def train(
    model: RuledModel, ids: Any, tokenizer: ExLMTokenizer, seed: tuple[int, int], steps: int, setting: dict[str, Any]
) -> None:
    """Take the steps."""
    optimizer = make_optimizer(model, "muon", LEARNING_RATE, 0.01)
    for step in range(steps):
        share = step / steps
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * learning_rate_factor(share)
        generator = np.random.default_rng((*seed, step))
        rows = HELD_OUT + generator.integers(len(ids) - HELD_OUT, size=BATCH)
        masked = mask_ids(trimmed(ids[rows], tokenizer), tokenizer, setting["kind"], setting["ratio"], generator)
        loss = model.surprise(prepared(model.config, masked), share)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 50 == 49:
            print(model.config.objective, model.rule, step + 1, f"{float(loss):.4f}", flush=True)


def trimmed(ids: Any, tokenizer: ExLMTokenizer) -> Any:
    """Leave columns of padding away."""
    return ids[:, : (ids != tokenizer.pad_id).sum(1).max()]


def prepared(config: ExLMConfig, masked: MaskedMolecules) -> MaskedInputs:
    """Lay out a batch."""
    return prepare_inputs(config, torch.from_numpy(masked.input_ids), torch.from_numpy(masked.labels))


@torch.no_grad()
def measure(model: RuledModel, molecules: MaskedMolecules) -> dict[str, float]:
    """Give loss per masked token, entropy of the paths per masked token, and the share of masks with two states."""
    surprise = entropy = used = 0.0
    masks = 0
    for masked in molecules.batches(BATCH, 1):
        inputs = prepared(model.config, masked)
        masks += int(inputs.num_masked.sum())
        if model.config.objective == "mlm":
            surprise -= float(model(inputs).log_likelihood.sum())
            continue
        graph = model.scores(inputs)
        sizes = graph.match, graph.transitions, graph.target_length, graph.state_length
        surprise -= float(log_likelihood(*sizes).sum())
        entropy += float(path_entropy(*sizes).sum())
        second = state_shares(graph, evidence=True)[graph.masked].topk(2).values[:, 1]
        used += float((second > USED).sum())
    result = {"loss": surprise / masks, "entropy": entropy / masks, "two_states": used / masks}
    return {name: round(value, 4) for name, value in result.items()}


if __name__ == "__main__":
    main()
