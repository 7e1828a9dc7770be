"""The picture of a state graph."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from exlm_chem.analysis.graph import GraphView, view_graph
from exlm_chem.analysis.graph_page import write_graph
from exlm_chem.analysis.graph_picture import draw_graph
from exlm_chem.analysis.options import GraphOptions
from exlm_chem.errors import ExLMError
from exlm_chem.generation.infill import Infiller
from exlm_chem.storage import read_json


@pytest.fixture(scope="module")
def view(tiny_model: Path) -> GraphView:
    return view_graph("C[MASK]c1cc[MASK]", Infiller.from_pretrained(tiny_model, "cpu"), GraphOptions())


def test_what_is_told(view: GraphView) -> None:
    assert view.sequence == ["<s>", "C", "[MASK]", "c", "1", "c", "c", "[MASK]", "</s>"]
    assert [state.token for state in view.states] == [0] * 4 + [2] * 4 + [7] * 4 + [8] * 4
    assert sum(state.visits for state in view.states) == pytest.approx(4, abs=1e-4)
    assert all(one.source < one.target for one in view.transitions)
    assert [path.log_probability for path in view.paths] == sorted(
        (p.log_probability for p in view.paths), reverse=True
    )
    # The sum over all paths is no less than one of them.
    assert view.proposals[0].log_likelihood >= view.paths[0].log_probability


def test_picture_is_svg_with_all_states_and_paths(view: GraphView) -> None:
    picture = ET.fromstring(draw_graph(view))  # noqa: S314  (our own)
    names = [element.tag.rpartition("}")[2] for element in picture.iter()]
    assert names.count("circle") == len(view.states)
    assert names.count("path") == len(view.transitions) + len(view.paths)
    assert "[MASK]" in "".join(picture.itertext())


@pytest.mark.parametrize("ending", [".svg", ".html", ".json"])
def test_files(view: GraphView, ending: str, tmp_path: Path) -> None:
    written = write_graph(view, tmp_path / f"graph{ending}")
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in written} >= {"graph.json"}
    assert read_json(tmp_path / "graph.json")["text"] == view.text


def test_other_endings_are_refused(view: GraphView, tmp_path: Path) -> None:
    with pytest.raises(ExLMError, match=r"write to \.svg, \.html or \.json"):
        write_graph(view, tmp_path / "graph.png")
