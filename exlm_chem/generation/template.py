"""Templates: a molecule with masks, from a text with ``[MASK]`` or from a molecule and the atoms to be masked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Final, Self

from rdkit import Chem, rdBase

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.generation.symbols import atoms_of_symbols
from exlm_chem.smiles.cells import only_smiles
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.smiles.grammar import SmilesSyntaxError
from exlm_chem.smiles.molecule import why_refused
from exlm_chem.smiles.selfies import SelfiesError, smiles_from_selfies, split_symbols
from exlm_chem.smiles.token_atoms import atoms_of_tokens
from exlm_chem.tokenizer import ExLMTokenizer

MASK: Final = "[MASK]"
_AROUND: Final = re.compile(rf"({re.escape(MASK)})")


@dataclass(frozen=True)
class Template:
    """The tokens of a molecule, with None for each mask.

    Attributes
    ----------
    tokens : tuple of str or None
        In the order of the text.
    parent : str
        The molecule whose atoms were masked; empty if a text came with its masks.
    only_atoms : bool
        Whether each mask stands for an atom, so that nothing else is proposed for it.
    selfies : bool
        Whether the tokens are those of SELFIES, where nearly all that may stand in the masks makes a molecule.

    Examples
    --------
    >>> Template.of_text("C[MASK]O", ExLMTokenizer()).tokens
    ('C', None, 'O')
    >>> str(Template.of_molecule("CC(=O)[18OH]", [3], ExLMTokenizer()))
    'CC(=O)[MASK]'
    """

    tokens: tuple[str | None, ...]
    parent: str = field(default="", compare=False)
    only_atoms: bool = field(default=False, compare=False)
    selfies: bool = field(default=False, compare=False)

    @classmethod
    def of_text(cls, text: str, tokenizer: ExLMTokenizer) -> Self:
        """Read a SMILES with ``[MASK]`` wherever something is to be proposed; for a tokenizer of SELFIES, SELFIES.

        Raises
        ------
        SmilesSyntaxError
            If a character between the masks cannot be part of SMILES; with its position in the whole text.
        SelfiesError
            If the text is no SELFIES, of a tokenizer for these.
        ExLMError
            If there is no mask.
        """
        text = only_smiles(text)
        if MASK not in text:
            hint = f"write {MASK} where something is to be proposed, or name atoms with --mask-atoms or --smarts"
            raise ExLMError(f"no mask: there is none in {quoted(text)}; {hint}")
        if tokenizer.scheme == "selfies":
            return cls(_symbols(text), selfies=True)
        tokens: list[str | None] = []
        position = 0
        for number, piece in enumerate(text.split(MASK)):
            if number:
                tokens.append(None)
                position += len(MASK)
            try:
                tokens += tokenizer.tokenize(piece)
            except SmilesSyntaxError as error:
                raise SmilesSyntaxError(text, position + error.position, error.reason) from None
            position += len(piece)
        return cls(tuple(tokens))

    @classmethod
    def of_molecule(cls, text: str, atoms: Iterable[int], tokenizer: ExLMTokenizer) -> Self:
        """Mask atoms of a molecule, which are numbered from 0 in the order of the text.

        Raises
        ------
        MoleculeError
            If the text is no molecule.
        ExLMError
            If there is no such atom.
        """
        selfies = tokenizer.scheme == "selfies"
        smiles = _checked(text)
        pieces = tokenizer.tokenize(smiles)
        atom_of = atoms_of_symbols(pieces) if selfies else atoms_of_tokens(pieces)
        chosen, count = set(atoms), max(atom_of) + 1
        for atom in sorted(chosen):
            if not 0 <= atom < count:
                raise ExLMError(f"no such atom: {quoted(smiles)} has no atom {atom}, but 0 to {count - 1}")
        tokens: list[str | None] = []
        for atom, group in groupby(zip(pieces, atom_of, strict=True), key=lambda pair: pair[1]):
            tokens += [None] if atom in chosen else [piece for piece, _ in group]
        return cls(tuple(tokens), smiles, only_atoms=True, selfies=selfies)

    @property
    def places(self) -> list[tuple[int, int]]:
        """Where masks stand: for each run of them its first token and the one behind it."""
        runs, start = [], 0
        for masked, group in groupby(token is None for token in self.tokens):
            length = sum(1 for _ in group)
            if masked:
                runs.append((start, start + length))
            start += length
        return runs

    @property
    def num_masks(self) -> int:
        """How many masks there are."""
        return self.tokens.count(None)

    def spans(self, least: int, most: int) -> list[Self]:
        """Put 1, 2, ... masks into the place of those that are there, which must be one place.

        Masked atoms without another atom between them are one place; brackets, bonds and ring digits between them
        belong to it.
        """
        (start, _), (_, end) = self.places[0], self.places[-1]
        between = [token or "" for token in self.tokens[start:end]]
        if self.selfies and any(between):
            raise ExLMError(
                f"--span needs one masked place: in {quoted(str(self))} there are symbols between the masks"
            )
        if not self.selfies and max(atoms_of_tokens(between)) >= 0:
            raise ExLMError(f"--span needs one masked place: in {quoted(str(self))} there are atoms between the masks")
        return [
            replace(self, tokens=(*self.tokens[:start], *[None] * count, *self.tokens[end:]), only_atoms=False)
            for count in range(least, most + 1)
        ]

    def pieces(self, fillings: Sequence[str]) -> list[str]:
        """Give the tokens with something in place of every mask."""
        rest = iter(fillings)
        return [next(rest) if token is None else token for token in self.tokens]

    def smiles(self, fillings: Sequence[str]) -> str:
        """Give the SMILES with something in place of every mask."""
        text = "".join(self.pieces(fillings))
        return smiles_from_selfies(text) if self.selfies else text

    def changed_atoms(self, fillings: Sequence[str]) -> list[int]:
        """Give the atoms of this SMILES, in its order, that a mask has become or is part of."""
        pieces = self.pieces(fillings)
        atoms = atoms_of_symbols(pieces) if self.selfies else atoms_of_tokens(pieces)
        return sorted({atom for atom, token in zip(atoms, self.tokens, strict=True) if token is None and atom >= 0})

    def ids(self, tokenizer: ExLMTokenizer) -> list[int]:
        """Give the ids of the tokens, between ``<s>`` and ``</s>``."""
        lookup = tokenizer.vocab
        inner = [tokenizer.mask_id if token is None else lookup.get(token, tokenizer.unk_id) for token in self.tokens]
        return [tokenizer.bos_id, *inner, tokenizer.eos_id]

    def __str__(self) -> str:
        return "".join(self.pieces([MASK] * self.num_masks))


def molecule_of(smiles: str) -> Any:
    """Make the RDKit molecule whose atoms are those of the text, an ``[H]`` too."""
    parameters: Any = Chem.SmilesParserParams()
    parameters.removeHs = False
    return Chem.MolFromSmiles(smiles, parameters)


def pattern_of(smarts: str) -> Any:
    """Make the RDKit pattern of a SMARTS.

    Raises
    ------
    ExLMError
        If it is none.
    """
    with rdBase.BlockLogs():
        pattern = Chem.MolFromSmarts(smarts)
    if pattern is None or not pattern.GetNumAtoms():
        raise ExLMError(f"--smarts {quoted(smarts)} is no SMARTS that RDKit reads")
    return pattern


def matching_atoms(text: str, smarts: str) -> list[int]:
    """Give the atoms of all places of a molecule that match a SMARTS, numbered in the order of the text.

    Raises
    ------
    MoleculeError
        If the text is no molecule.
    ExLMError
        If the SMARTS is none, or matches nothing.

    Examples
    --------
    >>> matching_atoms("CC(=O)Cl", "C(=O)[Cl]")
    [1, 2, 3]
    """
    smiles = _checked(text)
    with rdBase.BlockLogs():
        molecule = molecule_of(smiles)
    matches = molecule.GetSubstructMatches(pattern_of(smarts))
    if not matches:
        raise ExLMError(f"nothing matches the SMARTS: {quoted(smarts)} is not in {quoted(smiles)}")
    return sorted({atom for match in matches for atom in match})


def _checked(text: str) -> str:
    smiles = only_smiles(text)
    reason = why_refused(smiles)
    if reason is not None:
        raise MoleculeError(reason)
    return smiles


def _symbols(text: str) -> tuple[str | None, ...]:
    """Split SELFIES with masks, after a look at whether they are some."""
    if not text.startswith("["):
        raise SelfiesError(
            f"this model reads SELFIES, and {quoted(text)} is none; write [C]{MASK}[O], name atoms of a SMILES with "
            "--mask-atoms or --smarts, or choose another with --model"
        )
    smiles_from_selfies(text.replace(MASK, "[C]"))
    return tuple(
        token for piece in _AROUND.split(text) for token in ([None] if piece == MASK else split_symbols(piece))
    )
