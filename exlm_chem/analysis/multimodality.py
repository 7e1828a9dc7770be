"""Multimodality (paper, section 3): how many answers a mask has, and whether the answers of several masks agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from exlm_chem.analysis.agreement import ask, describe_answers, describe_masks, is_molecule
from exlm_chem.analysis.masked import MaskedMolecules
from exlm_chem.analysis.options import MultimodalityOptions
from exlm_chem.analysis.texts import read_ids
from exlm_chem.analysis.token_classes import CLASSES
from exlm_chem.errors import ExLMError
from exlm_chem.generation.infill import Infiller
from exlm_chem.machine import devices, versions
from exlm_chem.model_directory import open_model
from exlm_chem.pretraining.masking import mask_tokens
from exlm_chem.storage import write_json
from exlm_chem.tables.read_options import ReadOptions

_LONGEST = 128  # tokens of a molecule
_BATCH = 64


def measure_multimodality(
    models: Sequence[str | Path],
    molecules: Path | Sequence[str],
    output: str | Path,
    options: MultimodalityOptions | None = None,
    *,
    reading: ReadOptions | str | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Ask models about the same masks of the same molecules.

    Parameters
    ----------
    models : sequence of str or Path
        Names or directories of models that score tokens, all with one tokenizer.
    molecules : Path or sequence of str
        See `MoleculeReader`; the first ones that RDKit reads and that have enough tokens are taken.
    output : path
        A picture; the numbers stand beside it in a ``.json``.
    options : MultimodalityOptions, optional
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    log : callable, optional
        Called with a sentence for every model and number of masks.

    Returns
    -------
    dict
        For every model, by the name of its directory (by its path where two have one name), ``by_masks`` (for every
        number of masks the shares of the answers that are molecules, and are right; nats per mask of what is hidden, by
        each mask alone and by all paths) and ``by_class`` (for every class of hidden tokens the entropy, modes, modes
        that make a molecule, and distance between states of a mask).
    """
    from exlm_chem.analysis.multimodality_picture import draw_multimodality

    options = options or MultimodalityOptions()
    names = [Path(model).name for model in models]
    given = dict(zip(names if len({*names}) == len(names) else map(str, models), models, strict=True))
    infillers = {name: Infiller.from_pretrained(model, options.device) for name, model in given.items()}
    tokenizer = next(iter(infillers.values())).tokenizer
    if any(other.tokenizer.fingerprint != tokenizer.fingerprint for other in infillers.values()):
        raise ExLMError("the models have different tokenizers, so that they cannot be asked about the same masks.")
    ids = read_ids(
        molecules,
        tokenizer,
        most_tokens=_LONGEST,
        least=1,
        most=options.number,
        fewest_tokens=max(options.masks) + 2,
        accepts=is_molecule,
        reading=reading,
    )
    results: dict[str, Any] = {}
    for name, infiller in infillers.items():
        answers, masks = [], []
        for count in options.masks:
            for question_answers, question_masks in _of_count(infiller, tokenizer.pad(ids), count, options):
                answers.append(question_answers)
                masks += question_masks
            log(f"{name}: {len(ids)} molecules with {count} masks.")
        results[name] = {"objective": infiller.model.config.objective, **_summary(answers, masks)}
    content = {"molecules": len(ids), "settings": asdict(options), "models": results}
    fingerprints = {name: open_model(model).fingerprint for name, model in given.items()}
    origin = {"sha256": fingerprints, "machine": devices(), "versions": versions()}
    write_json(Path(output).with_suffix(".json"), content | origin)
    draw_multimodality(results, output)
    return results


def _of_count(
    infiller: Infiller, ids: NDArray[np.int64], count: int, options: MultimodalityOptions
) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Hide so many tokens of every molecule; describe the answers, and every mask."""
    tokenizer = infiller.tokenizer
    counts = np.full(len(ids), count)
    generator = np.random.default_rng((options.seed, count))
    hidden = MaskedMolecules(*mask_tokens(ids, counts, tokenizer.unk_id + 1, tokenizer.mask_id, generator))
    draws = torch.Generator().manual_seed(options.seed)
    described = []
    for part in hidden.batches(_BATCH, tokenizer.pad_id):
        for question in ask(infiller, part):
            masks = describe_masks(infiller, question, options.mode)
            answers = describe_answers(infiller, question, options.samples, draws)
            classes = {one["class"] for one in masks}
            described.append(({"masks": count, "classes": classes, **answers}, masks))
    return described


def _summary(answers: list[dict[str, Any]], masks: list[dict[str, Any]]) -> dict[str, Any]:
    """Average over the molecules of a number of masks, and over the masks of a class."""
    table = pd.DataFrame(answers)
    by_masks = table.drop(columns="classes").groupby("masks").mean()
    by_class = pd.DataFrame(masks).groupby("class").mean()
    by_class["number"] = pd.DataFrame(masks).groupby("class").size()
    several = table[table["masks"] > 1]
    for name in ("argmax_valid", "path_valid"):
        by_class[name] = [
            several.loc[[kind in classes for classes in several["classes"]], name].mean() for kind in by_class.index
        ]
    return {
        "by_masks": {str(count): row for count, row in by_masks.to_dict("index").items()},
        "by_class": {kind: row for kind in CLASSES if (row := by_class.to_dict("index").get(kind))},
    }
