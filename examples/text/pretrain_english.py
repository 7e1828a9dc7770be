"""English: a tokenizer, exlm and mlm pretrained side by side on files of text, and what their vectors know.

    python examples/text/pretrain_english.py runs/english
    python examples/text/pretrain_english.py runs/bible books/*.txt

Every paragraph of a file is a text, and the file is its class in the probe: from which file is a text, told by a linear
model on frozen vectors? Without files it is the reference of the Python language, which every installation has.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM, prepare_inputs
from exlm_chem.modeling.marginals import marginals
from exlm_chem.pretraining.corpus_files import CorpusFiles
from exlm_chem.pretraining.masking import draw_mask_counts, mask_tokens
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import pretrain
from exlm_chem.storage import read_json
from exlm_chem.text_tokenizer import TextTokenizer

Texts = list[tuple[str, str]]
"""Text and class, each."""

RATIO, CLASSES, PROBED, LONGEST = 0.15, 8, 2000, 256


def read_texts(files: list[Path]) -> Texts:
    """Read the paragraphs of some files, or of the reference of Python, each text once and in random order."""
    if files:
        sources = {file.stem: file.read_text(encoding="utf-8") for file in files}
    else:
        from pydoc_data.topics import topics as sources
    texts: dict[str, str] = {}
    for name, content in sources.items():
        for paragraph in re.split(r"\n\s*\n" if "\n\n" in content else "\n", content):
            texts.setdefault(" ".join(paragraph.split()), name)
    found = [(text, name) for text, name in texts.items() if len(text.split()) >= 4]
    random.Random(0).shuffle(found)
    return found


def train_tokenizer(texts: Texts, vocabulary: int, file: Path) -> TextTokenizer:
    """Train a WordPiece tokenizer and write it; any other ``tokenizer.json`` with a mask would do."""
    special = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106  (no password)
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator((text for text, _ in texts), trainer)
    tokenizer.save(str(file))
    return TextTokenizer.from_pretrained(file)


def token_ids(texts: Texts, tokenizer: TextTokenizer) -> NDArray[np.int64]:
    """Give the tokens of some texts, of a very long one the first."""
    rows = [tokenizer.encode(text) for text, _ in texts]
    return tokenizer.pad([ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], ids[-1]] for ids in rows])


def measure(model: ExLMForMaskedLM, ids: NDArray[np.int64], tokenizer: TextTokenizer) -> dict[str, float]:
    """Measure on the same masks for every model.

    The loss is of all masks of a text together, as it is trained; right is a token if it is the most probable one of
    its mask alone, so that nothing is known of the answers.
    """
    generator, lengths = np.random.default_rng(0), (ids != tokenizer.pad_id).sum(1)
    counts = draw_mask_counts(lengths, RATIO, 0.0, generator)
    masked, labels = mask_tokens(ids, counts, tokenizer.unk_id + 1, tokenizer.mask_id, generator)
    loss = right = 0.0
    with torch.inference_mode():
        for rows in np.array_split(lengths.argsort(kind="stable"), -(-len(ids) // 64)):
            width = lengths[rows].max()
            wanted = torch.from_numpy(labels[rows, :width])
            output = model(prepare_inputs(model.config, torch.from_numpy(masked[rows, :width]), wanted))
            right += int((marginals(output).argmax(1) == wanted[wanted >= 0]).sum())
            loss -= float(output.log_likelihood.sum())
    total = int((labels >= 0).sum())
    return {"loss per masked token": round(loss / total, 4), "accuracy": round(right / total, 4)}


def vectors(model: ExLMForMaskedLM, ids: NDArray[np.int64], tokenizer: TextTokenizer) -> NDArray[np.float32]:
    """Give one frozen vector for each text."""
    lengths = (ids != tokenizer.pad_id).sum(1)
    order = lengths.argsort(kind="stable")
    parts = [ids[rows, : lengths[rows].max()] for rows in np.array_split(order, -(-len(ids) // 64))]
    with torch.inference_mode():
        found = np.concatenate([model.model.embed(torch.from_numpy(part)).numpy() for part in parts])
    in_order: NDArray[np.float32] = found[order.argsort()]
    return in_order


def probe(data: Any, part: Sequence[Texts], *steps: Any) -> float:
    """Give the share of the second part's texts whose class a linear model tells that is fitted to the first."""
    train, test = ([name for _, name in texts] for texts in part)
    fitted = make_pipeline(*steps, LogisticRegression(max_iter=2000)).fit(data[0], train)
    return round(float(fitted.score(data[1], test)), 4)


def expansion(ids: NDArray[np.int64], pad_id: int) -> float:
    """Give how many times longer texts are for exlm, whose masks and ends are expanded."""
    tokens = float((ids != pad_id).sum())
    return 1 + (PretrainingOptions.states - 1) * (RATIO * tokens + 2 * len(ids)) / tokens


def run(
    files: list[Path], output: Path, steps: int, vocabulary: int = 4000, batch_tokens: int = 2048
) -> dict[str, Any]:
    """Do all of it and give the numbers: of both models after as many steps with about as many texts in each."""
    texts = read_texts(files)
    held_out, learnt = texts[: len(texts) // 10], texts[len(texts) // 10 :]
    output.mkdir(parents=True, exist_ok=True)
    for name, part in (("learnt.txt", learnt), ("held_out.txt", held_out)):
        (output / name).write_text("".join(f"{text}\n" for text, _ in part), encoding="utf-8")
    tokenizer = train_tokenizer(learnt, vocabulary, output / "tokenizer.json")
    hidden = token_ids(held_out, tokenizer)

    classes = [name for name, _ in Counter(name for _, name in texts).most_common(CLASSES)]
    asked = [[one for one in part if one[1] in classes][:PROBED] for part in (learnt, held_out)]
    asked_ids = [token_ids(part, tokenizer) for part in asked]
    torch.manual_seed(0)
    untrained = ExLMForMaskedLM(ExLMConfig.preset("tiny", tokenizer.vocab_size, mask_token_id=tokenizer.mask_id)).eval()
    results: dict[str, Any] = {
        "texts": {"learnt": len(learnt), "held out": len(held_out)},
        "vocabulary": tokenizer.vocab_size,
        "steps": steps,
        "probe": {
            "classes": len(classes),
            "texts": {"learnt": len(asked[0]), "held out": len(asked[1])},
            "the most frequent class": round(Counter(name for _, name in asked[1])[classes[0]] / len(asked[1]), 4),
            "which words": probe([[text for text, _ in part] for part in asked], asked, CountVectorizer(binary=True)),
            "untrained": probe([vectors(untrained, ids, tokenizer) for ids in asked_ids], asked, StandardScaler()),
        },
    }
    tokens = {"exlm": batch_tokens, "mlm": round(batch_tokens / expansion(hidden, tokenizer.pad_id))}
    for objective in ("exlm", "mlm"):
        options = PretrainingOptions(
            preset="tiny",
            objective=objective,
            scheme=str(output / "tokenizer.json"),
            mask_ratio=RATIO,
            max_steps=steps,
            batch_tokens=tokens[objective],
            evaluations=1,
            device="cpu",
        )
        corpus = CorpusFiles([output / "learnt.txt"], [output / "held_out.txt"])
        directory = pretrain(corpus, output / objective, options, cache=output / "cache")
        model, facts = ExLMForMaskedLM.from_pretrained(directory), read_json(directory / "training.json")
        results[objective] = {
            "texts shown": facts["molecules_seen"],
            "seconds": facts["training_seconds"],
            **measure(model, hidden, tokenizer),
            "probe": probe([vectors(model, ids, tokenizer) for ids in asked_ids], asked, StandardScaler()),
        }
    return results


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="the directory for tokenizer and models")
    parser.add_argument("files", type=Path, nargs="*", help="files of text")
    parser.add_argument("--steps", type=int, default=150)
    args = parser.parse_args()
    for name, value in run(args.files, args.output, args.steps).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
