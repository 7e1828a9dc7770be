"""The card of a model as a page."""

import re

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.prediction.report.card import write_card


def page(folder, card):
    (folder / "README.md").write_text(card)
    write_card(folder, folder / "card.html")
    return (folder / "card.html").read_text(encoding="utf-8")


def test_tables_lists_and_the_title(tmp_path):
    text = page(tmp_path, '# Predictor "mine": a < b\n\n| part | RMSE |\n|---|---|\n| test | 0.5 |\n\n* rule: none\n')
    assert "<title>Predictor &#34;mine&#34;: a &lt; b</title>" in text
    assert "<th>RMSE</th>" in text
    assert "<td>0.5</td>" in text
    assert "<li>rule: none</li>" in text


def test_nothing_runs_and_nothing_is_loaded(tmp_path):
    text = page(
        tmp_path, "# A\n\n<script>alert(1)</script>\n\n![x](http://example.org/x.png) [y](javascript:alert(1))\n"
    )
    assert not re.search(r"<script|<img|<link|href=.javascript|src=", text)


def test_a_model_without_a_card(tmp_path):
    with pytest.raises(ExLMError, match=r"has no card: README\.md is missing"):
        write_card(tmp_path, tmp_path / "card.html")
    assert not (tmp_path / "card.html").exists()
