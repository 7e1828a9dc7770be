"""A table described in one pass, and the command that fits it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from exlm_chem.cli.main import load_command
from exlm_chem.data_sets.description import Description, describe
from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.storage import json_text
from exlm_chem.tables.read_options import ReadOptions

DATA = Path(__file__).parents[2] / "data"
CASES = sorted((DATA / "field_cases").iterdir())
REFUSED = {"28_preamble.csv": "give --header-line 3", "29_no_header.csv": "give --header-line 0"}
ALCOHOLS = [f"{'C' * (number % 30 + 1)}{'N' * (number // 30)}O" for number in range(120)]


def written(folder: Path, lines: list[str], name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_table_of_a_task() -> None:
    found = describe(DATA / "bbbp_300.csv")
    assert (found.rows, found.molecules.readable, found.molecules.different) == (300, 294, 293)
    assert found.form == {"format": "table of text", "encoding": "UTF-8", "separator": ",", "header_line": 1}
    assert [column.kind for column in found.columns] == ["SMILES", "class"]
    assert found.columns[1].classes == {"0": 150, "1": 150}
    assert "--task bbbp" in found.advice.commands[0]


def test_several_columns_of_two_kinds(tmp_path: Path) -> None:
    rows = [f"{s},{n},{'01 '[n % 3]},{n / 7:.2f},{'train' if n % 4 else 'test'}" for n, s in enumerate(ALCOHOLS)]
    found = describe(written(tmp_path, ["smiles,id,active,log S,part", *rows]))
    assert [column.kind for column in found.columns] == ["SMILES", "number", "class", "number", "class"]
    lines = [command.replace(str(tmp_path / "mine.csv"), "FILE") for command in found.advice.commands]
    assert lines == [
        "exlm-chem finetune FILE --target active --split part -o runs/mine-classes",
        "exlm-chem finetune FILE --target 'log S' --split part -o runs/mine-measurements",
    ]


def test_options_that_were_given_stand_in_the_command(tmp_path: Path) -> None:
    path = written(tmp_path, ["made by hand", "structure;logD", *(f"{s};{n / 7:.2f}" for n, s in enumerate(ALCOHOLS))])
    found = describe(path, ReadOptions(smiles_column="structure", header_line=2))
    assert "--smiles-column structure --header-line 2 --target logD --split random" in found.advice.commands[0]
    assert found.form["separator"] == ";"
    assert "nearly all molecules have one scaffold, which a scaffold split cannot divide" in found.advice.warnings


def test_what_is_said_of_labels_is_obeyed_and_stands_in_the_command(tmp_path: Path) -> None:
    path = written(tmp_path, ["smiles,active", *(f"{s},{(-1, 0, 1)[n % 3]}" for n, s in enumerate(ALCOHOLS))])
    assert "add --unknown -1" in describe(path).columns[1].problem
    found = describe(path, labels=LabelOptions(unknown=("-1",)))
    column = found.columns[1]
    assert (column.kind, column.known, column.missing, column.spelled_missing) == ("class", 80, 40, {"-1": 40})
    assert column.classes == {"0": 40, "1": 40}
    assert "--unknown -1 --target active" in found.advice.commands[0]


def test_salts_and_contradictions_are_warned_of(tmp_path: Path) -> None:
    rows = [f"{smiles}.Cl,{number % 2}" for number, smiles in enumerate([*ALCOHOLS, ALCOHOLS[1]])]
    found = describe(written(tmp_path, ["smiles,active", *rows]))
    assert "--standardise parent" in found.advice.commands[0]
    assert "1 molecule has both classes in column 'active', in different rows" in found.advice.warnings


def test_a_number_of_the_row_contradicts_nothing(tmp_path: Path) -> None:
    found = describe(written(tmp_path, ["id,smiles,logS", "1,CCO,0.1", "2,OCC,0.2", "3,CCN,0.5"]))
    assert found.molecules.contradictions == {"logS": 1}


def test_rows_without_a_molecule_say_nothing_about_labels(tmp_path: Path) -> None:
    """PubChem has three rows with types, words and units under the names of the columns."""
    header = ["tag,smiles,IC50,Qualifier", "RESULT_TYPE,,FLOAT,STRING", "RESULT_UNIT,,MICROMOLAR,"]
    rows = [f"{n},{s},{n / 7:.2f},{'>='[n % 2]}" for n, s in enumerate(ALCOHOLS)]
    found = describe(written(tmp_path, [*header, *rows]))
    tag, _, value, sign = found.columns
    assert (value.kind, value.problem, value.missing, tag.is_count) == ("number", "", 2, True)
    assert not sign.is_label
    assert sign.remark.endswith("add --relation 'Qualifier', since without it limits are taken for values")
    assert not any("--positive" in warning for warning in found.advice.warnings)
    assert "--target IC50 " in found.advice.commands[0]


def test_orders_of_magnitude_are_told(tmp_path: Path) -> None:
    rows = [f"{smiles},{10 ** (n / 5):.1f},{n / 9 + 1:.3f}" for n, smiles in enumerate(ALCOHOLS)]
    warnings = describe(written(tmp_path, ["smiles,IC50,logP", *rows])).advice.warnings
    told = [warning for warning in warnings if "--transform" in warning and "far from" not in warning]
    assert len(told) == 1
    assert told[0].startswith("column 'IC50' has numbers from 1 to ")


def test_other_ways_to_split_are_named(tmp_path: Path) -> None:
    rows = [f"{s},{n / 7:.2f},S{n % 9},2026-0{n % 9 + 1}-11" for n, s in enumerate(ALCOHOLS)]
    warnings = describe(written(tmp_path, ["smiles,logD,Series,test date", *rows])).advice.warnings
    assert "--split group:Series would judge by molecules of other groups" in warnings
    assert "--split 'date:test date' would judge by the newest molecules" in warnings


@pytest.mark.parametrize(
    ("molecules", "sentence"),
    [
        (["CCO", "CCN"], "no column holds labels that could be learnt; predict and embed read its molecules"),
        (["xx", "yy"], "no row has a molecule that can be read, so nothing can be learnt or predicted"),
    ],
)
def test_nothing_to_learn(molecules: list[str], sentence: str) -> None:
    assert describe(molecules).advice.sentence == sentence


def test_a_name_such_as_class_is_no_task(tmp_path: Path) -> None:
    rows = [f"{smiles},{number % 2}" for number, smiles in enumerate(ALCOHOLS)]
    assert "--target Class" in describe(written(tmp_path, ["smiles,Class", *rows])).advice.commands[0]
    assert "--task bace" in describe(written(tmp_path, ["smiles,Class", *rows], "BACE.csv")).advice.commands[0]


def test_no_rows(tmp_path: Path) -> None:
    with pytest.raises(ExLMError, match=r"mine.csv has no rows"):
        describe(written(tmp_path, ["smiles,y"]))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_real_files_are_described(path: Path) -> None:
    if path.name in REFUSED:
        with pytest.raises(ExLMError, match=REFUSED[path.name]):
            describe(path)
        return
    found = describe(path)
    unreadable = sum(reason.rows for reason in found.molecules.unreadable.values())
    assert found.molecules.readable + unreadable == found.rows
    assert all(column.known + column.missing == found.rows for column in found.columns)
    assert json.loads(json_text(found.to_json()))["rows"] == found.rows
    _check_commands(found)


def _check_commands(found: Description) -> None:
    """Every command that is advised has flags that exist."""
    flags = {flag for parameter in load_command("finetune").params for flag in parameter.opts}
    for command in found.advice.commands:
        words = shlex.split(command)
        assert words[:2] == ["exlm-chem", "finetune"]
        assert {word for word in words if word.startswith("-")} <= flags


@pytest.mark.parametrize("words", [("Active", "active", "Inactive"), ("1", "1.0", "0"), ("yes", "Y", "no")])
def test_a_class_that_is_written_in_two_ways_is_not_rare(tmp_path: Path, words: tuple[str, ...]) -> None:
    said = [words[1] if n == 0 else words[2 * (n % 2)] for n in range(len(ALCOHOLS))]
    rows = [f"{smiles},{word}" for smiles, word in zip(ALCOHOLS, said, strict=True)]
    found = describe(written(tmp_path, ["smiles,act", *rows]))
    assert found.columns[1].kind == "class"
    assert not [one for one in found.advice.warnings if "rows of one class" in one]


def test_the_median_of_two_sizes_lies_between_them(tmp_path: Path) -> None:
    sizes = describe(written(tmp_path, ["smiles", "CCC", "CCCCCC"])).molecules.sizes
    assert sizes is not None
    assert sizes.median == 4.5
