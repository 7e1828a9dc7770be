"""``benchmark``: features and heads beside each other, and whether a language model is worth it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.evaluation.measured import Measured, read_measured, read_task, thinned
from exlm_chem.evaluation.options import BenchmarkOptions
from exlm_chem.evaluation.peers.registry import OURS, compute_features, learning_peer, parse_features
from exlm_chem.evaluation.protocol import Trial, difference, try_features
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.metrics import MAIN_METRIC
from exlm_chem.tables.read_options import ReadOptions

MOLECULENET: Final = (
    "bbbp", "bace", "clintox", "sider", "tox21", "toxcast", "hiv", "muv", "esol", "freesolv", "lipophilicity",
)  # fmt: skip
"""The tables of the suite, in the order in which they are shown."""

MOST_COLUMNS: Final = 30
"""Columns up to which heads are tried that need a model for each."""

ONE_BY_ONE: Final = frozenset({"boosting", "forest", "plain-boosting", "plain-svm", "plain-linear"})


@dataclass(frozen=True)
class TableResult:
    """What came out for one table.

    Attributes
    ----------
    table : Measured
        The molecules.
    trials : list of Trial
        One for each kind of features.
    notes : list of str
        What was left out.
    """

    table: Measured
    trials: list[Trial]
    notes: list[str] = field(default_factory=list)

    def verdict(self) -> dict[str, Any] | None:
        """Compare the best features with the language model and without it, both chosen without the test part."""
        ours = [trial for trial in self.trials if OURS in parse_features(trial.features)]
        others = [trial for trial in self.trials if OURS not in parse_features(trial.features)]
        if not ours or not others:
            return None
        best, peer = (max(some, key=self._goodness) for some in (ours, others))
        found = difference(self.table, best, peer)
        if found is None:
            return None
        better = self.table.better
        apart, (low, high) = found
        sure = min(better * low, better * high) > 0
        return {
            "with": best.features, "without": peer.features, "difference": apart, "interval": [low, high],
            "better": bool(better * apart > 0), "beyond_chance": bool(sure),
            "worse_beyond_chance": bool(max(better * low, better * high) < 0),
        }  # fmt: skip

    def _goodness(self, trial: Trial) -> float:
        return -np.inf if np.isnan(trial.score) else self.table.better * trial.score

    def __str__(self) -> str:
        verdict = self.verdict()
        if verdict is None:
            return f"{self.table.name}: nothing to compare a language model with, or no metric"
        low, high = verdict["interval"]
        word = "worth it" if verdict["beyond_chance"] else "harmful" if verdict["worse_beyond_chance"] else None
        said = f"a language model is {word}" if word else "whether a language model is worth it cannot be told"
        numbers = f"{verdict['difference']:+.3f} {MAIN_METRIC[self.table.kind]} (95 % {low:+.3f} to {high:+.3f})"
        return f"{self.table.name}: {said}: {verdict['with']} against {verdict['without']}, {numbers} on the test part"

    def to_json(self) -> dict[str, Any]:
        """Give everything for programs."""
        table = self.table
        return {
            "table": table.name,
            "metric": MAIN_METRIC[table.kind],
            "split": table.split.description,
            "molecules": {name: len(part) for name, part in table.split.parts().items()},
            "notes": self.notes,
            "trials": [trial.to_json() for trial in self.trials],
            "verdict": self.verdict(),
            "summary": str(self),
        }


def run_benchmark(
    data: str | Path | None,
    options: BenchmarkOptions,
    labels: LabelOptions | None = None,
    reading: ReadOptions | str | None = None,
    report: Callable[[float, str], None] = lambda *_: None,
) -> list[TableResult]:
    """Compare features and heads on a table, or on all of a suite.

    Parameters
    ----------
    data : path or None
        A table of measured molecules; None for a suite.
    options : BenchmarkOptions
        What is compared.
    labels, reading : optional
        How the table is read; see `read_dataset`.
    report : callable, optional
        Called with the share that is done, and what is being done.

    Raises
    ------
    ExLMError
        If a table, a block of features or a head is not there.
    """
    if (data is None) == (options.suite is None):
        raise ExLMError("give either a table or --suite moleculenet")
    if options.extra_columns:
        _check_beside(options)
    encoder = ExLM.from_pretrained(options.model, options.device)
    tables: list[Callable[[], Measured]]
    if data is None:
        tables = _suite(encoder, options)
    else:
        tables = [partial(_own, Path(data), encoder, options, labels, reading)]
    results = []
    for place, read in enumerate(tables):
        whole = read()
        table = thinned(whole, options.most_molecules)
        heads, notes = _feasible(whole, table, options.heads)
        notes = [*table.notes, *notes]
        blocks = dict.fromkeys(block for one in options.features for block in parse_features(one))
        features = compute_features(list(blocks), table.smiles, encoder)
        trials = []
        for number, name in enumerate(options.features):
            report((place + number / len(options.features)) / len(tables), f"{table.name}, {name}")
            chosen = {block: features[block] for block in parse_features(name)} | table.beside
            trials.append(try_features(name, chosen, table, heads, range(options.seeds), options.choose_by))
        results.append(TableResult(table, trials, notes))
    return results


def feasible_heads(columns: int, heads: Sequence[str]) -> list[str]:
    """Leave out the heads that would take days on so many columns, as long as others are left.

    Examples
    --------
    >>> feasible_heads(617, ["linear", "boosting", "kernel"]), feasible_heads(617, ["boosting"])
    (['linear', 'kernel'], ['boosting'])
    """
    quick = [head for head in heads if head not in ONE_BY_ONE] if columns > MOST_COLUMNS else []
    return quick or list(heads)


def _feasible(whole: Measured, table: Measured, heads: Sequence[str]) -> tuple[list[str], list[str]]:
    """Leave out what would take days, and say so."""
    notes, columns = [], table.labels.shape[1]
    if len(table.smiles) < len(whole.smiles):
        notes.append(f"{len(table.smiles):,} of {len(whole.smiles):,} molecules are drawn (--most-molecules)")
    quick = feasible_heads(columns, heads)
    slow = [head for head in heads if head not in quick]
    if slow:
        notes.append(f"{', '.join(slow)}: left out, as each of {columns} columns would need a model")
    return quick, notes


def summarise(results: list[TableResult]) -> str:
    """Say in one sentence whether a language model is worth it.

    Examples
    --------
    >>> summarise([])
    'no table was compared'
    """
    if len(results) == 1:
        return str(results[0])
    verdicts = [verdict for one in results if (verdict := one.verdict()) is not None]
    if not verdicts:
        return "no table was compared"
    better, sure, worse = (
        sum(one[key] for one in verdicts) for key in ("better", "beyond_chance", "worse_beyond_chance")
    )
    return (
        f"a language model is better on {better} of {len(verdicts)} tables, beyond chance on {sure}, "
        f"and worse beyond chance on {worse}"
    )


def _check_beside(options: BenchmarkOptions) -> None:
    """Refuse to read columns besides the molecules where there are none, or where a peer cannot."""
    if options.suite is not None:
        raise ExLMError("--extra-columns are those of your own table; leave them away with --suite")
    for name in options.features:
        alone = learning_peer(parse_features(name))
        if alone is not None:
            raise ExLMError(f"{alone.name} reads nothing besides the molecules here; leave it or --extra-columns away")


def _suite(encoder: ExLM, options: BenchmarkOptions) -> list[Callable[[], Measured]]:
    folder = Path(options.data)
    names = options.tasks or [name for name in MOLECULENET if list(folder.glob(f"{name}.csv*"))]
    if not names:
        raise ExLMError(f"no table of the suite is in {quoted(options.data)}; name the folder with --data")
    return [partial(read_task, folder, name, encoder.read, options.split) for name in names]


def _own(
    path: Path, encoder: ExLM, options: BenchmarkOptions, labels: LabelOptions | None, reading: ReadOptions | str | None
) -> Measured:
    if not options.target:
        raise ExLMError("name the columns of labels with --target")
    return read_measured(
        path, encoder.read, options.target, split=options.split, labels=labels, reading=reading,
        extra_columns=options.extra_columns,
    )  # fmt: skip
