"""The model card, written from what is known of a run and nothing else."""

from __future__ import annotations

import math
from typing import Any

from exlm_chem.base_tokenizer import TEXT
from exlm_chem.errors import quoted
from exlm_chem.pretraining.options import LABELS


def model_card(facts: dict[str, Any]) -> str:
    """Write the ``README.md`` of a pretrained model.

    Parameters
    ----------
    facts : dict
        The content of ``training.json``.

    Returns
    -------
    str
        Markdown.
    """
    options, corpus, last = facts["options"], facts["corpus"], facts["last_measurement"]
    if options["objective"] == "exlm":
        objective = f"ExLM: every masked token becomes {options['states']} states, all paths through them are scored"
    else:
        objective = "plain masked language model (the baseline without expanded states)"
    loss = _measured(last["validation_loss"], ".4f", "nats per target")
    accuracy = _measured(last["validation_accuracy"], ".3f", "of the masked tokens")
    files = ", ".join(name if name.isprintable() else quoted(name) for name in corpus["files"])
    text = options["scheme"] == TEXT
    what, reads = ("texts", "text") if text else ("molecules", "SMILES strings")
    start = facts.get("started_from")
    started = f"the weights of {start['name']}" if start else "random weights"
    tables = [name.removeprefix(LABELS) for name in options["molecule_objectives"] if name.startswith(LABELS)]
    labels = f"with the labels of {', '.join(tables)}" if tables else "without labels"
    return f"""# ExLM-chem model ({options["preset"]}, {facts["parameters"] / 1e6:.1f} M parameters)

An encoder of {reads}, pretrained {labels}.

| | |
|---|---|
| objective | {objective} |
| started from | {started} |
| masked tokens | {options["mask_ratio"]:.0%} |
| molecule-level objectives | {", ".join(options["molecule_objectives"]) or "none"} |
| {what} to learn from | {corpus["training"]:,} ({files}) |
| {what} shown | {facts["molecules_seen"]:,} in {facts["steps"]:,} steps |
| training time | {facts["training_seconds"] / 60:.0f} minutes, precision {facts["precision"]} |
| validation loss | {loss} ({corpus["validation"]:,} {what} kept apart) |
| validation accuracy | {accuracy} |

{_TEXT_NOTE if text else _MOLECULE_NOTE}Everything about the run is
in `training.json`.
"""


_MOLECULE_NOTE = """\
It expects RDKit-canonical isomeric SMILES. A molecule's embedding is the mean of the features over the tokens that are
not special. It knows molecules like those it was shown; numbers for others deserve doubt. """
_TEXT_NOTE = """\
It expects lines of text, as `tokenizer.json` cuts them; it knows nothing of molecules. """


def _measured(value: float | None, form: str, unit: str) -> str:
    return "not measured" if value is None or math.isnan(value) else f"{value:{form}} {unit}"
