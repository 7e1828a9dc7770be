"""Any tokenizer of Hugging Face, so that models learn text; its ids are laid out as those of molecules are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, get_args

from exlm_chem.base_tokenizer import EXPORT_NAME, TEXT, TOKENIZER_NAME, Tokenizer
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.storage import read_json
from exlm_chem.storage.json_files import json_text
from exlm_chem.storage.records import content_sha256
from exlm_chem.terms import Scheme
from exlm_chem.tokenizer import ExLMTokenizer


class _Special(NamedTuple):
    """A token that stands for no text: what for, under which keys a configuration names it, and its usual names."""

    purpose: str
    keys: tuple[str, ...]
    names: tuple[str, ...]


_SPECIAL: Final = (  # in the order of their ids; the mask comes last
    _Special("the beginning of a text", ("bos_token", "cls_token"), ("<s>", "[CLS]")),
    _Special("padding", ("pad_token",), ("<pad>", "[PAD]")),
    _Special("the end of a text", ("eos_token", "sep_token"), ("</s>", "[SEP]")),
    _Special("what is unknown", ("unk_token",), ("<unk>", "[UNK]")),
    _Special("a mask", ("mask_token",), ("<mask>", "[MASK]")),
)
_ADDED: Final = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


class TextTokenizer(Tokenizer):
    """A tokenizer of Hugging Face with other ids: special tokens where models here expect them, the rest in order.

    Parameters
    ----------
    content : dict
        Of a ``tokenizer.json``: WordPiece, BPE, WordLevel or Unigram. What it says of truncation, padding and special
        tokens around a text does not count.
    special : sequence of str
        Its tokens for the beginning, padding, the end, what is unknown, and masks.

    Examples
    --------
    >>> from tokenizers import Tokenizer, models, pre_tokenizers
    >>> words = Tokenizer(models.WordLevel({"a": 0, "cat": 1, "[UNK]": 2}, unk_token="[UNK]"))
    >>> words.pre_tokenizer = pre_tokenizers.Whitespace()
    >>> tokenizer = TextTokenizer(json.loads(words.to_str()), ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"])
    >>> tokenizer.encode("a black cat")
    [0, 4, 3, 5, 2]
    >>> tokenizer.decode([0, 4, 3, 5, 2, 1])
    'a [UNK] cat'
    """

    reads = "text"

    def __init__(self, content: dict[str, Any], special: Sequence[str]) -> None:
        tokens = _tokens(content)
        beginning, last = list(special[:-1]), special[-1]
        others = sorted(tokens.keys() - set(special), key=lambda token: (tokens[token], token))
        super().__init__(TEXT, [*beginning, *others, last])
        self._special = tuple(special)
        self._content = _renumbered(content, self.vocab, special)
        self._backend = _backend(self._content)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.exported(), self._special)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides about the ids of a text."""
        return content_sha256(self._content)

    def encode(self, line: str, add_special_tokens: bool = True) -> list[int]:
        """Turn a text into ids, by default between those for the beginning and the end.

        A special token that is written in the text is ``<unk>``.

        Raises
        ------
        ExLMError
            If it holds bytes that are no characters.
        """
        try:
            found = self._backend.encode(line, add_special_tokens=False).ids
        except TypeError:
            raise ExLMError("bytes that are no text in UTF-8; name the --encoding") from None
        ids = [self.unk_id if index in self._silent_ids else index for index in found]
        return [self.bos_id, *ids, self.eos_id] if add_special_tokens else ids

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """Turn ids back into a text, as far as the tokenizer keeps case and spaces.

        Parameters
        ----------
        ids
            The ids of one text, padded or not.
        skip_special_tokens
            Leave out those for beginning, end, padding and masks. The one for what is unknown stays.
        """
        spoken = self.spoken(ids, skip_special_tokens)
        text: str = self._backend.decode(spoken, skip_special_tokens=False)
        return text

    def exported(self) -> str:
        """Give the content of ``tokenizer.json``, with which Hugging Face gives the same ids."""
        return json_text(self._content, 2) + "\n"

    @classmethod
    def from_pretrained(cls, path: str | Path) -> Self:
        """Read a ``tokenizer.json``, or the one in a directory.

        Parameters
        ----------
        path
            The file or the directory. A ``tokenizer_config.json`` beside it may name the special tokens; without it
            they are found by their usual names, such as ``<mask>`` or ``[MASK]``.

        Raises
        ------
        ExLMError
            If it is missing, broken, lacks a special token, or belongs to a model of molecules.
        """
        path = Path(path)
        file = path / EXPORT_NAME if path.is_dir() else path
        if not file.is_file() and path.is_dir():
            raise ExLMError(f"there is no {EXPORT_NAME} in {path}; write it with save_pretrained of transformers")
        content, beside = read_json(file, "give another tokenizer"), file.with_name(TOKENIZER_NAME)
        config = read_json(beside, "copy the directory again") if beside.is_file() else {}
        if (scheme := config.get("scheme")) in get_args(Scheme):
            raise ExLMError(f"{file} is a tokenizer of molecules; use --tokenizer {scheme}")
        try:
            tokenizer = cls(content, _special_tokens(_tokens(content), config))
        except ExLMError as error:
            raise ExLMError(f"{file} {error}; give another tokenizer") from None
        if config.get("fingerprint", tokenizer.fingerprint) != tokenizer.fingerprint:
            raise ExLMError(f"{file} is not the tokenizer that was saved (other sha256); copy the directory again")
        return tokenizer


def open_tokenizer(name: str) -> Tokenizer:
    """Make the tokenizer that ``--tokenizer`` names: a scheme for molecules, or a file or directory for text.

    Raises
    ------
    ExLMError
        If there is none.

    Examples
    --------
    >>> open_tokenizer("selfies")
    ExLMTokenizer(scheme='selfies')
    """
    for scheme in get_args(Scheme):
        if name == scheme:
            return ExLMTokenizer(scheme)
    try:
        exists = Path(name).exists()
    except (OSError, ValueError):  # what can be no name of a file
        exists = False
    if not exists:
        raise ExLMError(
            f"--tokenizer must be one of {', '.join(get_args(Scheme))} or the path of a tokenizer of Hugging Face, "
            f"not {quoted(name)}."
        )
    return TextTokenizer.from_pretrained(name)


def saved_tokenizer(directory: str | Path) -> Tokenizer:
    """Read the tokenizer of a model directory, whatever it reads.

    Raises
    ------
    ExLMError
        If the files are missing or are not those that were saved.
    """
    path = Path(directory) / TOKENIZER_NAME
    if path.is_file() and read_json(path, "copy the directory again").get("scheme") == TEXT:
        return TextTokenizer.from_pretrained(directory)
    return ExLMTokenizer.from_pretrained(directory)


@lru_cache(maxsize=1)
def _unpickled(content: str, special: tuple[str, ...]) -> TextTokenizer:
    """Make a tokenizer in a worker process: once, although it comes with each piece of work."""
    return TextTokenizer(json.loads(content), special)


def _tokens(content: dict[str, Any]) -> dict[str, int]:
    """Give every token of a ``tokenizer.json`` and its id there."""
    try:
        vocab, added = content["model"]["vocab"], content["added_tokens"]
        words = vocab if isinstance(vocab, dict) else {token: index for index, (token, _) in enumerate(vocab)}
        return {**words, **{token["content"]: token["id"] for token in added}}
    except (KeyError, TypeError, ValueError):
        raise ExLMError(f"is no {EXPORT_NAME} of Hugging Face (a model with a vocabulary)") from None


def _special_tokens(tokens: dict[str, int], config: dict[str, Any]) -> list[str]:
    """Find the five special tokens: those that a configuration names, or those with the usual names."""
    found: list[str] = []
    for purpose, keys, names in _SPECIAL:
        said = (config.get(key) for key in keys)
        named = [entry.get("content") if isinstance(entry, dict) else entry for entry in said]
        token = next((name for name in (*named, *names) if isinstance(name, str) and name in tokens), None)
        if token is None:
            raise ExLMError(f"has no token for {purpose}, such as {' or '.join(names)}")
        if token in found:
            raise ExLMError(f"has one token, {token}, for {_SPECIAL[found.index(token)].purpose} and for {purpose}")
        found.append(token)
    return found


def _renumbered(content: dict[str, Any], vocab: dict[str, int], special: Sequence[str]) -> dict[str, Any]:
    """Give a ``tokenizer.json`` with other ids, which puts the tokens for beginning and end around a text."""
    model, added = dict(content["model"]), {token["content"]: token for token in content["added_tokens"]}
    bos, _, eos, unk, _ = special
    if isinstance(model["vocab"], dict):
        model |= {"vocab": vocab, "unk_token": unk}
    else:
        scores = dict(model["vocab"])
        model |= {"vocab": [[token, scores.get(token, 0.0)] for token in vocab], "unk_id": vocab[unk]}
    if "dropout" in model:
        model["dropout"] = None  # a text has one way to be cut
    ends = {token: {"SpecialToken": {"id": token, "type_id": 0}} for token in (bos, eos)}
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    return content | {
        "model": model,
        "truncation": None,
        "padding": None,
        "added_tokens": [
            _ADDED
            | added.get(token, {})
            | {"id": index, "content": token}
            | ({"special": True} if token in special else {})
            for token, index in vocab.items()
            if token in added or token in special
        ],
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [ends[bos], first, ends[eos]],
            "pair": [ends[bos], first, ends[eos], second, ends[eos]],
            "special_tokens": {token: {"id": token, "ids": [vocab[token]], "tokens": [token]} for token in (bos, eos)},
        },
    }


def _backend(content: dict[str, Any]) -> Any:
    import tokenizers

    try:
        return tokenizers.Tokenizer.from_str(json.dumps(content))
    except Exception as error:  # noqa: BLE001  (the library raises no other)
        raise ExLMError(f"is no tokenizer that this version of tokenizers reads ({error})") from None
