"""A state graph as files: a picture, or a page with the picture and the molecules, and the numbers beside it."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Final

from exlm_chem.analysis.graph import GraphView
from exlm_chem.analysis.graph_picture import draw_graph
from exlm_chem.errors import ExLMError
from exlm_chem.prediction.report.drawing import draw
from exlm_chem.storage import write_file, write_json

_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.45 Helvetica, Arial, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem }}
h1 {{ font-size: 1.25rem }}
code {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere }}
figure {{ margin: 1.5rem 0; overflow-x: auto }}
figcaption {{ color: #555; max-width: 52rem }}
.cards {{ display: flex; flex-wrap: wrap; gap: 1rem }}
.card {{ border: 1px solid #ddd; border-radius: 6px; padding: .5rem; width: 14rem; font-size: .85rem }}
.card svg {{ width: 100%; height: 9rem }}
</style></head><body>
<h1>State graph of <code>{title}</code></h1>
<figure>{picture}<figcaption>Each expanded token has its states (numbered), each with a bar of what it would emit.
A state is the paler the fewer paths go through it; grey lines are transitions, as thick as the share of the paths that
take them; coloured lines are the best paths.</figcaption></figure>
<h2>Best fillings, by the sum over all paths</h2>
<div class="cards">{cards}</div>
</body></html>
"""


def write_graph(view: GraphView, path: str | Path) -> list[Path]:
    """Write a state graph.

    Parameters
    ----------
    view : GraphView
        From `view_graph`.
    path : str or Path
        ``.svg`` for the picture, ``.html`` for a page, each with the numbers beside it in a ``.json``; or only that.

    Returns
    -------
    list of Path
        What was written.
    """
    path = Path(path)
    numbers = path.with_suffix(".json")
    makers = {".svg": draw_graph, ".html": _page, ".json": None}
    if path.suffix.lower() not in makers:
        raise ExLMError(f"{path} has no known ending; write to .svg, .html or .json")
    maker = makers[path.suffix.lower()]
    if maker is not None:
        with write_file(path) as file:
            file.write(maker(view).encode())
    write_json(numbers, view.as_json())
    return list(dict.fromkeys([path, numbers]))


def _page(view: GraphView) -> str:
    cards = (
        f'<div class="card">{draw(one.canonical) or "no molecule"}<br><code>{escape(one.smiles)}</code><br>'
        f"log-likelihood {one.log_likelihood:.2f}</div>"
        for one in view.proposals
    )
    return _PAGE.format(title=escape(view.text), picture=draw_graph(view), cards="\n".join(cards))
