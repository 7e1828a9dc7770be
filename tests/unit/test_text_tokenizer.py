"""Tokenizers of Hugging Face with the ids that models here expect."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from exlm_chem.errors import ExLMError
from exlm_chem.text_tokenizer import TextTokenizer, open_tokenizer, saved_tokenizer
from exlm_chem.tokenizer import ExLMTokenizer

TEXTS = ["the cat sat on the mat", "a dog ran after the cat, and sat down", "mats and cats and dogs"] * 5
ROBERTA = ["<pad>", "<unk>", "<s>", "</s>", "<mask>"]
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def trained(kind: str) -> Tokenizer:
    model, trainer = {
        "bpe": (models.BPE(dropout=0.5), trainers.BpeTrainer(vocab_size=60, special_tokens=ROBERTA)),
        "wordpiece": (
            models.WordPiece(unk_token=BERT[1]),
            trainers.WordPieceTrainer(vocab_size=60, special_tokens=BERT, show_progress=False),
        ),
        "unigram": (
            models.Unigram(),
            trainers.UnigramTrainer(vocab_size=60, special_tokens=ROBERTA, unk_token=ROBERTA[1]),
        ),
    }[kind]
    trainer.show_progress = False
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_tokens(["snark"])
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding()
    return tokenizer


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
def test_any_tokenizer_gets_the_ids_that_models_expect(kind: str, tmp_path: Path) -> None:
    theirs = trained(kind)
    theirs.save(str(tmp_path / "tokenizer.json"))
    tokenizer = TextTokenizer.from_pretrained(tmp_path / "tokenizer.json")
    assert sorted(tokenizer.vocab.values()) == list(range(theirs.get_vocab_size()))
    names = {index: token for token, index in tokenizer.vocab.items()}
    pad, unk, bos, eos, mask = ROBERTA if kind != "wordpiece" else BERT
    assert [names[index] for index in (0, 1, 2, 3, tokenizer.mask_id)] == [bos, pad, eos, unk, mask]

    theirs.no_truncation()
    theirs.no_padding()
    if kind == "bpe":
        theirs.model.dropout = None
    text = "a snark ran after the dogs, and sat"
    assert [names[index] for index in tokenizer.encode(text, False)] == theirs.encode(
        text, add_special_tokens=False
    ).tokens
    assert tokenizer.encode("the é")[-2:] == [tokenizer.unk_id, tokenizer.eos_id]
    assert not {0, 1, 2, tokenizer.mask_id} & set(tokenizer.encode(f"cat {mask} cat {bos} {eos} {pad}", False))

    tokenizer.save_pretrained(tmp_path / "saved", max_tokens=99)
    again = saved_tokenizer(tmp_path / "saved")
    assert (again.vocab, again.fingerprint, again.scheme) == (tokenizer.vocab, tokenizer.fingerprint, "text")
    assert Tokenizer.from_file(str(tmp_path / "saved/tokenizer.json")).encode(text).ids == tokenizer.encode(text)
    copy = pickle.loads(pickle.dumps(tokenizer))  # noqa: S301  (as worker processes get it)
    assert copy.encode(text) == tokenizer.encode(text)


def test_what_decode_says(word_tokenizer: Path) -> None:
    tokenizer = open_tokenizer(str(word_tokenizer.parent))
    ids = tokenizer.encode("the cat purrs")
    assert tokenizer.decode([*ids, tokenizer.mask_id, tokenizer.pad_id]) == "the cat [UNK]"
    assert tokenizer.decode(ids, skip_special_tokens=False) == "[CLS] the cat [UNK] [SEP]"
    with pytest.raises(ExLMError, match="bytes that are no text"):
        tokenizer.encode("the \udcff")


def changed(path: Path, folder: Path, config: dict[str, Any] | None = None, **changes: Any) -> Path:
    (folder / "tokenizer.json").write_text(json.dumps(json.loads(path.read_text()) | changes))
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("config", "changes", "sentence"),
    [
        ({"mask_token": "[SEP]"}, {}, r"one token, \[SEP\], for the end of a text and for a mask; give another"),
        (
            {},
            {"model": {"vocab": {"a": 0}}, "added_tokens": []},
            r"no token for the beginning .*, such as <s> or \[CLS\]",
        ),
        ({}, {"model": {"vocab": 3}}, "is no tokenizer.json of Hugging Face"),
        ({}, {"pre_tokenizer": {"type": "None"}}, "is no tokenizer that this version of tokenizers reads"),
        ({"fingerprint": "0" * 64}, {}, "is not the tokenizer that was saved"),
        ({"scheme": "selfies"}, {}, "is a tokenizer of molecules; use --tokenizer selfies"),
    ],
)
def test_what_is_refused(
    config: dict[str, Any], changes: dict[str, Any], sentence: str, word_tokenizer: Path, tmp_path: Path
) -> None:
    with pytest.raises(ExLMError, match=sentence):
        TextTokenizer.from_pretrained(changed(word_tokenizer, tmp_path, config, **changes))


def test_a_configuration_names_the_special_tokens(word_tokenizer: Path, tmp_path: Path) -> None:
    config = {"bos_token": None, "cls_token": {"content": "mat"}, "mask_token": "a"}
    tokenizer = TextTokenizer.from_pretrained(changed(word_tokenizer, tmp_path, config))
    assert (tokenizer.vocab["mat"], tokenizer.vocab["a"]) == (tokenizer.bos_id, tokenizer.mask_id)


def test_names_of_tokenizers(tmp_path: Path) -> None:
    assert isinstance(open_tokenizer("atomwise"), ExLMTokenizer)
    for name in ("bpe", "x" * 5000, "a\0b"):
        with pytest.raises(ExLMError, match="--tokenizer must be one of lossless, atomwise, selfies or the path of a"):
            open_tokenizer(name)
    with pytest.raises(ExLMError, match=r"there is no tokenizer\.json in"):
        open_tokenizer(str(tmp_path))
