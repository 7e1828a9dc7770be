"""Which molecules are learnt from, which decide, and which judge."""

from exlm_chem.finetuning.splits.borders import Borders, across_borders
from exlm_chem.finetuning.splits.folds import make_folds
from exlm_chem.finetuning.splits.registry import RULES, Spec, make_split, parse_split
from exlm_chem.finetuning.splits.scaffold import scaffold_split
from exlm_chem.finetuning.splits.split import PART_NAMES, PARTS, Split, Splittable, given_split

__all__ = [
    "PARTS",
    "PART_NAMES",
    "RULES",
    "Borders",
    "Spec",
    "Split",
    "Splittable",
    "across_borders",
    "given_split",
    "make_folds",
    "make_split",
    "parse_split",
    "scaffold_split",
]
