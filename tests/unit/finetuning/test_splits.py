"""Which molecules are learnt from, which decide, and which judge."""

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.splits import column_split, random_split, read_parts, scaffold_split
from exlm_chem.smiles.molecule import scaffold

SMILES = ["CC1CC1", "C1CC1", "CC", "CCC", "c1ccccc1C", "c1ccccc1O", "c1ccccc1", "C1CCCCC1", "c1ccncc1", "CCCC"]


def test_scaffold_split_keeps_scaffolds_whole():
    split = scaffold_split(SMILES)
    parts = [split.train, split.valid, split.test]
    assert sorted(sum(parts, [])) == list(range(10))  # noqa: RUF017
    assert [len(part) for part in parts] == [8, 1, 1]
    scaffolds = [{scaffold(SMILES[index]) for index in part} for part in parts]
    assert len(set.union(*scaffolds)) == sum(map(len, scaffolds))
    # molecules without rings are no family when the training part is cut for cross-validation
    assert len({split.groups[index] for index in (2, 3, 9)}) == 3
    assert len({split.groups[index] for index in (4, 5, 6)}) == 1


def test_random_split_keeps_repeated_molecules_together():
    smiles = [f"{'C' * (1 + index % 50)}O" for index in range(200)]
    split = random_split(smiles, seed=3)
    parts = [split.train, split.valid, split.test]
    assert [len(part) for part in parts] == [160, 20, 20]
    assert sum(len({smiles[index] for index in part}) for part in parts) == 50
    assert random_split(smiles, seed=3) == split
    assert random_split(smiles, seed=4) != split


def test_column_split():
    parts = read_parts("part", [" Validation", "TEST", "train", "", "NA"], [2, 3, 4, 5, 6], "a.csv")
    assert parts == ["valid", "test", "train", None, None]
    split = column_split(list("CNO"), "part", parts[:3])
    assert (split.train, split.valid, split.test) == ([2], [0], [1])


def test_words_that_are_no_part_are_counted_and_listed():
    with pytest.raises(ExLMError) as refused:
        read_parts("part", ["train", "holdout", "", "fold 1", "holdout"], [2, 3, 4, 5, 6], "a.csv")
    assert str(refused.value) == (
        "a.csv: column 'part': 3 of 5 cells are no part of a split: 'holdout' (2 cells), 'fold 1' (1 cell), the first "
        "in line 3; write train, valid or test, or leave the cell empty for a molecule that is not to be used"
    )
