"""SMILES to token ids and back: the vocabulary, and its export for Hugging Face.

Three schemes share one class:

``lossless``
    The default. Frequent bracket atoms are one token, rare ones are spelled in glyphs, so every SMILES string has
    known tokens only and comes back unchanged.
``atomwise``
    The regular expression of the ExLM authors (Schwaller's): every bracket atom is one token, a rare one is ``<unk>``.
    For comparison with other models; unlike there, no character is dropped in silence.
``selfies``
    The string is translated into SELFIES first; ``decode`` gives a SMILES string of the same molecule.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from exlm_chem.base_tokenizer import TEXT, TOKENIZER_NAME, Tokenizer
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.locations import encoder_directory, locate
from exlm_chem.smiles.schemes import SCHEMES
from exlm_chem.storage import read_json
from exlm_chem.storage.records import Sha256, from_json, naming
from exlm_chem.terms import Scheme

if TYPE_CHECKING:
    import tokenizers


BOS, PAD, EOS, UNK, MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"


class ExLMTokenizer(Tokenizer):
    """Turns SMILES strings into token ids and back.

    The vocabulary is built in and never learned, so two tokenizers of one scheme are always the same.

    Parameters
    ----------
    scheme
        ``"lossless"``, ``"atomwise"`` or ``"selfies"``; see the module's text.

    Attributes
    ----------
    vocab : dict of str to int
        Every token and its id.
    special_ids : frozenset of int
        The ids of the five tokens that stand for no text.

    Examples
    --------
    >>> tokenizer = ExLMTokenizer()
    >>> tokenizer.tokenize("C[C@@H](Cl)[13CH3]")
    ['C', '[C@@H]', '(', 'Cl', ')', '[', '1', '3', 'C', 'H', '3', ']']
    >>> ids = tokenizer.encode("C[C@@H](Cl)[13CH3]")
    >>> tokenizer.decode(ids)
    'C[C@@H](Cl)[13CH3]'
    """

    reads = "molecule"

    def __init__(self, scheme: Scheme = "lossless") -> None:
        if scheme not in get_args(Scheme):
            raise ExLMError(f"unknown scheme {quoted(scheme)}; choose one of {', '.join(get_args(Scheme))}")
        self._rules = SCHEMES[scheme]
        # a dict keeps the first of equals
        super().__init__(scheme, dict.fromkeys((BOS, PAD, EOS, UNK, *self._rules.tokens, MASK)))

    def __reduce__(self) -> tuple[Any, ...]:
        return ExLMTokenizer, (self.scheme,)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of scheme and vocabulary: the same if and only if the ids mean the same."""
        return hashlib.sha256(json.dumps([self.scheme, self._tokens]).encode()).hexdigest()

    def tokenize(self, smiles: str) -> list[str]:
        """Split a SMILES string into tokens.

        Raises
        ------
        SmilesSyntaxError
            If a character cannot be part of SMILES where it stands (scheme ``atomwise`` calls it ``<unk>``).
        SelfiesError
            If SELFIES cannot write the molecule (scheme ``selfies``).

        Examples
        --------
        >>> ExLMTokenizer("atomwise").tokenize("[13CH3]O")
        ['[13CH3]', 'O']
        >>> ExLMTokenizer("selfies").tokenize("C=O")
        ['[C]', '[=O]']
        """
        return self._rules.split(smiles)

    def encode(self, smiles: str, add_special_tokens: bool = True) -> list[int]:
        """Turn a SMILES string into ids, by default between ``<s>`` and ``</s>``.

        Raises
        ------
        SmilesSyntaxError, SelfiesError
            See :meth:`tokenize`.

        Examples
        --------
        >>> ExLMTokenizer("atomwise").encode("C[13CH3]")
        [0, 13, 3, 2]
        """
        lookup, unk_id = self.vocab.get, self.unk_id
        ids = [lookup(token, unk_id) for token in self._rules.split(smiles)]
        return [self.bos_id, *ids, self.eos_id] if add_special_tokens else ids

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """Turn ids back into a SMILES string, exactly the encoded one (scheme ``selfies``: the same molecule).

        Parameters
        ----------
        ids
            The ids of one molecule, padded or not.
        skip_special_tokens
            Leave out ``<s>``, ``</s>``, ``<pad>`` and ``<mask>``. ``<unk>`` stays, since it stands for an atom.

        Examples
        --------
        >>> tokenizer = ExLMTokenizer()
        >>> tokenizer.decode([0, 7, 2, 1], skip_special_tokens=False)
        '<s>C</s><pad>'
        """
        return self._rules.join([self._tokens[index] for index in self.spoken(ids, skip_special_tokens)])

    def exported(self) -> str:
        """Give the content of ``tokenizer.json``, with which Hugging Face gives the same ids.

        It cannot refuse a string: an unknown character is ``<unk>``. In scheme ``selfies`` it takes SELFIES strings.
        """
        return self._to_hugging_face().to_str(pretty=True)

    @classmethod
    def from_pretrained(cls, directory: str | Path) -> ExLMTokenizer:
        """Read the tokenizer of a model that ships, by its name, or of a directory; of a predictor, its encoder's.

        Parameters
        ----------
        directory
            See `exlm_chem.locations.locate`.

        Raises
        ------
        ExLMError
            If the files are missing or were made with another vocabulary.
        """
        directory = encoder_directory(locate(directory))
        path = directory / TOKENIZER_NAME
        if not path.is_file():
            raise ExLMError(f"there is no tokenizer in {directory}: {path.name} is missing")
        content = read_json(path, "copy the directory again")
        if content.get("scheme") == TEXT:
            raise ExLMError(f"the model in {directory} reads text, not SMILES; use a model of molecules for these")
        with naming(path):
            saved = from_json(_Saved, content)
        tokenizer = cls(saved.scheme)
        if saved.fingerprint != tokenizer.fingerprint:
            raise ExLMError(
                f"{path} has a {tokenizer.scheme} vocabulary that is not the one of this version of ExLM-chem; "
                "copy the directory again, or use the version that the model was made with"
            )
        return tokenizer

    def _to_hugging_face(self) -> tokenizers.Tokenizer:
        import tokenizers
        from tokenizers import Regex, decoders, models, pre_tokenizers, processors

        tokenizer = tokenizers.Tokenizer(models.WordLevel(self.vocab, unk_token=UNK))
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(self._rules.pattern()), behavior="isolated")
        tokenizer.decoder = decoders.Fuse()  # nothing between the tokens
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{BOS} $A {EOS}",
            pair=f"{BOS} $A {EOS} $B {EOS}",
            special_tokens=[(BOS, self.bos_id), (EOS, self.eos_id)],
        )
        tokenizer.add_special_tokens([BOS, PAD, EOS, UNK, MASK])
        return tokenizer


@dataclass(frozen=True)
class _Saved:
    """What ``tokenizer_config.json`` says that is of use here."""

    scheme: Scheme
    fingerprint: Sha256
