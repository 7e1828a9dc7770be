"""The page of a report: whole, without anything from elsewhere, and whatever a file holds stays text."""

from __future__ import annotations

import base64
import json
import re
import zlib
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.prediction.report import page as page_module
from exlm_chem.prediction.report.drawing import draw
from exlm_chem.prediction.report.figures import figures
from exlm_chem.prediction.table import predict_file
from tests.unit.smiles.nasty import cyclodextrin

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\u2028\"'"


class Page(HTMLParser):
    """The elements of a page, and what stands in its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._inside: dict[str, str | None] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._inside = dict(attrs)
            self.scripts.append((self._inside, ""))

    def handle_endtag(self, tag):
        if tag == "script":
            self._inside = None

    def handle_data(self, data):
        if self._inside is None:
            self.text += data
        else:
            self.scripts[-1] = self._inside, self.scripts[-1][1] + data

    def of_class(self, name):
        return [text for attributes, text in self.scripts if attributes.get("class") == name]

    @property
    def rows(self):
        return [row for text in self.of_class("rows") for row in json.loads(text)]

    @property
    def drawings(self):
        packs = self.of_class("drawings")
        return [one for pack in packs for one in json.loads(zlib.decompress(base64.b64decode(pack)))]

    @property
    def about(self):
        return json.loads(next(text for attributes, text in self.scripts if attributes.get("id") == "about"))


@pytest.fixture
def report(tmp_path, tiny_predictors):
    def make(text, model="sol", **options):
        (tmp_path / "in.csv").write_text(text, encoding="utf-8")
        shown = PredictionOptions(report=str(tmp_path / "page.html"), device="cpu", **options)
        predict_file(tmp_path / "in.csv", [tiny_predictors / model], tmp_path / "out.csv", shown)
        return Page((tmp_path / "page.html").read_text("utf-8"))

    return make


def test_every_row_is_there_with_its_picture(report) -> None:
    texts = ["CCO", "C1CC", "c1ccccc1O", ""] * 20
    page = report("id,smiles\n" + "".join(f"{n},{text}\n" for n, text in enumerate(texts)), chunk_size=7)
    assert [row[:2] for row in page.rows] == [[str(n), text] for n, text in enumerate(texts)]
    assert [bool(one) for one in page.drawings] == [True, False, True, False] * 20
    assert all(isinstance(row[2], float) and isinstance(row[3], float) for row in page.rows[::2][::2])
    assert page.rows[1][2] is None
    assert page.rows[1][-1].startswith("not SMILES")
    assert "80 rows, 40 predicted" in page.text
    names = [column["name"] for column in page.about["columns"]]
    assert names == ["id", "smiles", "sol", "logd", "note", "error"]
    assert page.about["error"] == 5
    assert page.about["columns"][2]["unit"] == "log10(mol/L)"


def test_nothing_comes_from_elsewhere(report) -> None:
    page = report("smiles\nCCO\n")
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not {"src", "href", "srcset", "action"} & set(attributes) or tag == "use"
        assert not any(name.startswith("on") for name in attributes)
    styles_and_code = page.scripts[-1][1] + page.text
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|https?://(?!www\.w3\.org)", styles_and_code)


def test_whatever_stands_in_a_file_stays_text(report) -> None:
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    page = report(f"smiles,{quoted}\nCCO,{quoted}\n{HOSTILE.split(maxsplit=1)[0]},x\n")
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == len(page.scripts) == 4
    assert "img" not in tags
    assert page.rows[0][1] == HOSTILE
    assert page.about["columns"][1]["name"] == HOSTILE
    plain = report("smiles\nCCO\n")
    assert [tag for tag, _ in plain.tags] == tags


def test_no_rows_and_one_row(report) -> None:
    page = report("smiles\n")
    assert (page.rows, page.drawings) == ([], [])
    assert len(report("smiles\nC\n").rows) == 1


def test_too_many_rows_are_told(report, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(page_module, "MOST_ROWS", 30)
    page = report("smiles\n" + "C\n" * 40)
    assert len(page.rows) == len(page.drawings) == 30
    assert "Only the first 30 of 40 rows are on this page." in page.text
    assert (tmp_path / "out.csv").read_text().count("\n") == 41


def test_pictures_where_the_measured_values_are_known(report) -> None:
    page = report("smiles,s\n" + "".join(f"{'C' * n},{-n}\n" for n in range(1, 9)) + "CCO,>3\nCCN,\n")
    assert "sol: predicted against measured, 8 molecules" in page.text
    assert [tag for tag, _ in page.tags].count("figure") == 1
    assert "figure" not in [tag for tag, _ in report("smiles,other\nC,1\nCC,2\n").tags]


def test_the_input_is_never_written_over_and_a_failed_page_leaves_no_table(tmp_path, tiny_predictors) -> None:
    (tmp_path / "in.csv").write_text("smiles\nCCO\n")
    for report in ("in.csv", "no/such/folder/page.html"):
        options = PredictionOptions(report=str(tmp_path / report), device="cpu")
        with pytest.raises(ExLMError):
            predict_file(tmp_path / "in.csv", [tiny_predictors / "sol"], tmp_path / "out.csv", options)
        assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
    assert (tmp_path / "in.csv").read_text() == "smiles\nCCO\n"


@pytest.mark.parametrize("smiles", ["CCO", "[Na+].[Cl-]", "C/C=C/[C@H](N)O", "F[Fe](F)F", "*C1CC1"])
def test_drawings_are_svg(smiles) -> None:
    assert ET.fromstring(draw(smiles)).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314


def test_what_cannot_be_drawn() -> None:
    assert [draw(text) for text in ("", "no molecule", "C" * 151)] == ["", "", ""]
    assert draw(cyclodextrin(8)).startswith("<svg")  # RDKit might take long for such a one, and does not for this


def test_figures_of_classes_and_numbers() -> None:
    labels, guesses = np.array([0, 1, 0, 1, np.nan]), np.array([0.1, 0.9, 0.6, 0.5, 0.3])
    drawn = figures("classification", "act", labels, guesses)
    assert [title for title, _ in drawn] == [
        "act: ROC, 4 molecules, 2 of them 1",
        "act: precision against recall",
        "act: calibration",
    ]
    assert "AUC 0.750" in drawn[0][1]
    assert "RMSE 1" in figures("regression", "sol", np.array([1.0, 2.0]), np.array([2.0, 3.0]))[0][1]
    for _, svg in drawn:
        assert ET.fromstring(svg).tag.endswith("svg")  # noqa: S314


@pytest.mark.parametrize("labels", [[], [1.0], [1.0, 1.0, 1.0], [np.nan, 1.0]])
def test_no_figures_without_two_classes(labels) -> None:
    assert figures("classification", "act", np.array(labels), np.full(len(labels), 0.5)) == []


@pytest.mark.parametrize(("page", "reason"), [("no/page.html", "there is no folder"), ("out.csv", "is the table")])
def test_a_page_that_cannot_be_written_is_refused_before_the_work(page, reason, tmp_path, tiny_predictors) -> None:
    (tmp_path / "in.csv").write_text("smiles\nCCO\n")
    done: list[int] = []
    with pytest.raises(ExLMError, match=reason):
        predict_file(
            tmp_path / "in.csv",
            [tiny_predictors / "sol"],
            tmp_path / "out.csv",
            PredictionOptions(report=str(tmp_path / page), device="cpu"),
            progress=done.append,
        )
    assert (done, [one.name for one in tmp_path.iterdir()]) == ([], ["in.csv"])


def test_labels_that_are_no_classes_are_left_out_of_the_pictures() -> None:
    labels, guesses = np.array([0.0, 1.0, 1.0, 2.0, -1.0, 5.3]), np.array([0.1, 0.9, 0.4, 0.5, 0.5, 0.5])
    drawn = figures("classification", "act", labels, guesses)
    assert drawn == figures("classification", "act", labels[:3], guesses[:3])
    assert drawn[0][0] == "act: ROC, 3 molecules, 2 of them 1"
    assert figures("classification", "act", labels[3:], guesses[3:]) == []
