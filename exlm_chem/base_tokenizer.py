"""What every tokenizer here has: its ids laid out in one way, padding, and the files that Hugging Face reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.storage import write_json, write_text
from exlm_chem.terms import Reads

EXPORT_NAME: Final = "tokenizer.json"
TOKENIZER_NAME: Final = "tokenizer_config.json"
TEXT: Final = "text"
"""The scheme of every tokenizer that came from a file."""


class Tokenizer(ABC):
    """Turns lines into token ids and back; models and pretraining ask for no more than this.

    Parameters
    ----------
    scheme
        How it cuts, by its name.
    tokens
        All tokens in the order of their ids: first those for the beginning, padding, the end and what is unknown, and
        last the mask.

    Attributes
    ----------
    vocab : dict of str to int
        Every token and its id.
    special_ids : frozenset of int
        The ids of the five tokens that stand for no text.
    """

    reads: ClassVar[Reads]
    """What a line holds."""

    bos_id: Final = 0
    pad_id: Final = 1
    eos_id: Final = 2
    unk_id: Final = 3

    def __init__(self, scheme: str, tokens: Iterable[str]) -> None:
        self.scheme: Final = scheme
        self._tokens = list(tokens)
        self.vocab: Final = {token: index for index, token in enumerate(self._tokens)}
        self.mask_id: Final = len(self._tokens) - 1
        self.special_ids: Final = frozenset({self.bos_id, self.pad_id, self.eos_id, self.unk_id, self.mask_id})
        # what decode leaves out: not <unk>, because a line with a hole must not look like a whole one
        self._silent_ids = self.special_ids - {self.unk_id}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(scheme={self.scheme!r})"

    @property
    def vocab_size(self) -> int:
        """How many tokens there are, special ones included."""
        return len(self.vocab)

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A SHA-256 that is the same if and only if every line has the same ids."""

    @abstractmethod
    def encode(self, line: str, add_special_tokens: bool = True) -> list[int]:
        """Turn a line into ids, by default between those for the beginning and the end."""

    @abstractmethod
    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """Turn ids back into a line."""

    def spoken(self, ids: Iterable[int], skip_special_tokens: bool) -> list[int]:
        """Give the ids that `decode` shall turn into text."""
        silent: frozenset[int] = self._silent_ids if skip_special_tokens else frozenset()
        # elements of a tensor are equal to numbers, but not the same in a set
        return [index for index in map(int, ids) if index not in silent]

    @abstractmethod
    def exported(self) -> str:
        """Give the content of ``tokenizer.json``."""

    def pad(self, batch: Sequence[Sequence[int]]) -> NDArray[np.int64]:
        """Put lines of different lengths into one array, filled with ``<pad>`` on the right.

        Returns
        -------
        array of shape (B, T)
            T is the length of the longest line.

        Examples
        --------
        >>> from exlm_chem.tokenizer import ExLMTokenizer
        >>> ExLMTokenizer().pad([[0, 7, 2], [0, 2]])
        array([[0, 7, 2],
               [0, 2, 1]])
        """
        array = np.full((len(batch), max(map(len, batch), default=0)), self.pad_id, dtype=np.int64)
        for row, ids in zip(array, batch, strict=True):
            row[: len(ids)] = ids
        return array

    def save_pretrained(self, directory: str | Path, max_tokens: int | None = None) -> None:
        """Write ``tokenizer.json`` and ``tokenizer_config.json``, which ``transformers.AutoTokenizer`` reads.

        The directory is made if it does not exist.

        Parameters
        ----------
        directory
            Where to write.
        max_tokens
            How many tokens the model reads, for Hugging Face, which warns of more.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        write_text(directory / EXPORT_NAME, self.exported())
        bos, pad, eos, unk = self._tokens[:4]
        config: dict[str, Any] = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "scheme": self.scheme,
            "fingerprint": self.fingerprint,
            "bos_token": bos,
            "pad_token": pad,
            "eos_token": eos,
            "unk_token": unk,
            "mask_token": self._tokens[self.mask_id],
            "padding_side": "right",
            "clean_up_tokenization_spaces": False,
            "model_input_names": ["input_ids", "attention_mask"],
        }
        if max_tokens is not None:
            config["model_max_length"] = max_tokens
        write_json(directory / TOKENIZER_NAME, config)
