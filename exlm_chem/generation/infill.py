"""`Infiller`: molecules with masks in, proposals for them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from exlm_chem.embedding.backends.torch_backend import pick_device
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.generation.options import FillOptions
from exlm_chem.generation.template import MASK, Template, matching_atoms
from exlm_chem.model_directory import open_model
from exlm_chem.modeling.exlm import ExLMForMaskedLM
from exlm_chem.modeling.fillings import best_fillings, sample_fillings
from exlm_chem.modeling.mask_graph import MaskGraph, mask_graphs
from exlm_chem.modeling.serialization import weights_sha256
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.smiles.grammar import ATOMS
from exlm_chem.smiles.molecule import canonical_smiles
from exlm_chem.smiles.selfies import FREQUENT_ATOMS, FREQUENT_SYMBOLS
from exlm_chem.tokenizer import ExLMTokenizer

TRIES = (1, 4, 16, 64)
"""How many times as many candidates as proposals are looked at, as long as there are too few proposals."""

MOST_MASKS = 50
"""Masks of a molecule; beyond, time and memory grow out of proportion."""

_MOST_CANDIDATES = 20_000


@dataclass(frozen=True)
class Proposal:
    """What a model puts into the masks of one molecule.

    Attributes
    ----------
    template : Template
        The molecule with its masks.
    filled : tuple of str
        What stands in each mask.
    log_likelihood : float
        Log-probability of what stands in the masks, summed over all paths (for "mlm" over the masks), in nats.
    canonical : str
        *The* text of the molecule; empty if it is none.
    """

    template: Template
    filled: tuple[str, ...]
    log_likelihood: float
    canonical: str

    @property
    def smiles(self) -> str:
        """The text with the masks filled."""
        return self.template.smiles(self.filled)

    @property
    def valid(self) -> bool:
        """Whether RDKit takes it for a molecule."""
        return bool(self.canonical)

    @property
    def order(self) -> float:
        """What proposals are ordered by: the log-likelihood of a mask, so that short and long spans stand together."""
        return self.log_likelihood / len(self.filled)

    @property
    def changed_atoms(self) -> list[int]:
        """The atoms, in the order of the text, that a mask has become or is part of.

        Examples
        --------
        >>> Proposal(Template(("C", None, None, "O")), ("[N@@]", "="), 0.0, "").changed_atoms
        [1]
        """
        return self.template.changed_atoms(self.filled)


class Infiller:
    """A masked language model that proposes what stands in masks.

    Parameters
    ----------
    model : ExLMForMaskedLM
        Of the objective "exlm" or "mlm"; it is put on the device and into evaluation mode.
    tokenizer : ExLMTokenizer
        The tokenizer that it was trained with. With that of SELFIES nearly every proposal is a molecule.
    device : str
        A torch device, or "auto" for the best there is.

    Examples
    --------
    >>> infiller = Infiller.from_pretrained("exlm-small", device="cpu")
    >>> [proposal.smiles for proposal in infiller.fill("c1ccc([MASK])cc1", number=3)]
    ['c1ccc(Br)cc1', 'c1ccc(Cl)cc1', 'c1ccc(O)cc1']
    >>> infiller.fill("CC(=O)Nc1ccc(O)cc1", smarts="C(=O)N", span=(1, 6), valid_only=True)[0].smiles
    'COc1ccc(O)cc1'
    """

    def __init__(self, model: ExLMForMaskedLM, tokenizer: ExLMTokenizer, device: str = "auto") -> None:
        self.device = pick_device(device)
        self.model, self.tokenizer = model.to(self.device).eval(), tokenizer
        words, atoms = set(tokenizer.vocab), ATOMS
        if tokenizer.scheme == "selfies":  # whole symbols, for which any order has a meaning
            words, atoms = set(FREQUENT_SYMBOLS), frozenset(FREQUENT_ATOMS)
        self._names = {
            index: word
            for word, index in tokenizer.vocab.items()
            if word in words and index not in tokenizer.special_ids
        }
        self.words = torch.tensor(list(self._names))
        self._atoms = torch.tensor([index for index, word in self._names.items() if word in atoms])

    def __repr__(self) -> str:
        return f"Infiller(objective={self.model.config.objective!r}, device={str(self.device)!r})"

    @classmethod
    def from_pretrained(cls, name_or_directory: str | Path = "exlm-small", device: str = "auto") -> Self:
        """Read a model that ships with the package, or a directory; of a predictor, its encoder.

        Parameters
        ----------
        name_or_directory : str or Path
            See `exlm_chem.locations.locate`.
        device : str
            See the class.

        Raises
        ------
        ExLMError
            If it is missing or broken, or is an encoder without the head that scores tokens.
        """
        found = open_model(name_or_directory)
        if "ExLMForMaskedLM" not in found.saved.architectures:
            raise ExLMError(f"{found.path} has no head that scores tokens; use the directory that pretraining wrote")
        return cls(ExLMForMaskedLM.from_pretrained(found.path), found.smiles_tokenizer, device)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the weights."""
        return weights_sha256(self.model)

    def template(self, text: str, options: FillOptions | None = None) -> Template:
        """Read what is to be filled: a text with masks, or a molecule whose atoms the options name.

        Parameters
        ----------
        text : str
            SMILES.
        options : FillOptions, optional
            `mask_atoms` and `smarts` count.
        """
        options = options or FillOptions()
        if not options.mask_atoms and options.smarts is None:
            return Template.of_text(text, self.tokenizer)
        if MASK in text:
            raise ExLMError(f"masks and named atoms: {quoted(text)} has {MASK}; leave out --mask-atoms and --smarts")
        atoms = [*options.mask_atoms, *([] if options.smarts is None else matching_atoms(text, options.smarts))]
        return Template.of_molecule(text, atoms, self.tokenizer)

    def graphs(self, templates: Iterable[Template]) -> list[MaskGraph]:
        """Make the state graphs of templates."""
        templates = list(templates)
        most = max(template.num_masks for template in templates)
        if most > MOST_MASKS:
            raise ExLMError(f"too many masks: {most:,}, and {MOST_MASKS} can be filled together")
        rows = [template.ids(self.tokenizer) for template in templates]
        extra = (self.model.config.num_states - 1) if self.model.config.objective == "exlm" else 0
        longest = max(len(ids) + extra * ids.count(self.tokenizer.mask_id) for ids in rows)
        limit = self.model.config.max_tokens
        if longest > limit:
            raise ExLMError(f"too long for this model: {longest - 2:,} tokens and states, and it reads {limit - 2:,}")
        return mask_graphs(self.model, torch.from_numpy(self.tokenizer.pad(rows)).to(self.device))

    def fill(self, text: str | Template, options: FillOptions | None = None, **changes: Any) -> list[Proposal]:
        """Propose what stands in the masks of a molecule.

        Parameters
        ----------
        text : str or Template
            See `template`.
        options : FillOptions, optional
            How many proposals, how they are found and which are left out.
        **changes
            Fields of the options that differ from these.

        Returns
        -------
        list of Proposal
            The best first. None occurs twice: of several texts of one molecule, and of several ways to one text, the
            best is there. Fewer than wanted if there are no more.

        Raises
        ------
        ExLMError
            In one sentence if the text cannot be read.
        """
        options = replace(options or FillOptions(), **changes)
        template = self.template(text, options) if isinstance(text, str) else text
        templates = [template] if options.span is None else template.spans(*options.span)
        graphs = self.graphs(templates)
        parent = _canonical(template.parent) if options.skip_parent else ""
        # The best paths are kept for every pair of states.
        most = min(_MOST_CANDIDATES, *(3 * graph.rows_at_a_time for graph in graphs))
        known: dict[tuple[Template, tuple[str, ...]], Proposal] = {}
        for factor in TRIES:
            wanted = min(options.number * factor, most)
            words = [self._atoms if one.only_atoms else self.words for one in templates]
            candidates = [self._candidates(*pair, wanted, options) for pair in zip(graphs, words, strict=True)]
            scored = [
                self._scored(template, graph, tokens, known)
                for template, graph, tokens in zip(templates, graphs, candidates, strict=True)
            ]
            proposals = _chosen(scored, options, parent)
            exhausted = not options.drawn and all(len(tokens) < wanted for tokens in candidates)
            if len(proposals) == options.number or exhausted or wanted == most:
                break
        return proposals

    def _candidates(self, graph: MaskGraph, words: Tensor, number: int, options: FillOptions) -> Tensor:
        """Give fillings that are worth scoring, the best or drawn ones."""
        if not options.drawn:
            return best_fillings(graph, words, number).tokens
        generator = torch.Generator().manual_seed(options.seed)
        return sample_fillings(graph, words, number, generator, options.temperature or 1.0, options.top_p or 1.0)

    def _scored(
        self,
        template: Template,
        graph: MaskGraph,
        tokens: Tensor,
        known: dict[tuple[Template, tuple[str, ...]], Proposal],
    ) -> list[Proposal]:
        """Make proposals of candidates, in their order; `known` remembers those of earlier tries."""
        proposals = []
        for row, likelihood in zip(tokens.tolist(), graph.log_likelihoods(tokens).tolist(), strict=True):
            filled = tuple(self._names[token] for token in row)
            if (template, filled) not in known:
                known[template, filled] = Proposal(template, filled, likelihood, _canonical(template.smiles(filled)))
            proposals.append(known[template, filled])
        return proposals


def _chosen(scored: Sequence[Sequence[Proposal]], options: FillOptions, parent: str) -> list[Proposal]:
    """Take the best molecules, or those that were drawn first, each by its best text, and order them."""
    in_turn = [one for turn in zip_longest(*scored) for one in turn if one is not None]
    best: dict[str, Proposal] = {}
    for proposal in in_turn if options.drawn else sorted(in_turn, key=_order):
        if proposal.canonical != parent if proposal.valid else not options.valid_only:
            molecule = proposal.canonical or proposal.smiles
            known = best.get(molecule)
            if (len(best) < options.number) if known is None else (proposal.order > known.order):
                best[molecule] = proposal
    return sorted(best.values(), key=_order)


def _order(proposal: Proposal) -> float:
    return -proposal.order


def _canonical(smiles: str) -> str:
    try:
        return canonical_smiles(smiles)
    except MoleculeError:
        return ""
