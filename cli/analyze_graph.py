"""``exlm-chem analyze graph``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exlm_chem.analysis.options import GraphOptions

from .options import takes_options

if TYPE_CHECKING:
    from exlm_chem.analysis.graph import GraphView

EXAMPLE = "exlm-chem analyze graph 'CC(=O)[MASK]c1ccc([MASK])cc[MASK]' -o graph.html"


@takes_options
def graph(
    molecule: Annotated[str, typer.Argument(help="A SMILES with [MASK] in it.")],
    options: GraphOptions,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A model that ships, or a model directory.")
    ] = "exlm-small",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A picture (.svg), a page (.html) or only numbers (.json) to write."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Draw the states of masks, what they would emit and the best paths.

    Every mask becomes several states, and a path goes through some of them; the picture shows how much each state and
    each transition is used. The numbers stand beside it in a .json.
    """
    from exlm_chem.analysis.graph import view_graph
    from exlm_chem.generation.infill import Infiller
    from exlm_chem.storage import json_text

    from .streams import say_where

    view = view_graph(molecule, Infiller.from_pretrained(model, options.device), options)
    if output is not None:
        from exlm_chem.analysis.graph_page import write_graph

        for path in write_graph(view, output):
            say_where(path)
    elif as_json:
        typer.echo(json_text(view.as_json(), indent=2))
    else:
        _show(view)


def _show(view: "GraphView") -> None:
    from .screen import show_heading, show_table

    rows = [
        (
            f"{number}",
            f"{state.token}",
            view.sequence[state.token],
            f"{state.visits:.3f}",
            "  ".join(f"{token} {chance:.3f}" for token, chance in state.top),
        )
        for number, state in enumerate(view.states)
    ]
    show_table(("state", "position", "token", "on paths", "what it would emit"), rows, numbers=(0, 1, 3))
    show_heading("best paths")
    show_table(
        ("log-probability", "filled", "states"),
        [
            (f"{path.log_probability:.3f}", " ".join(path.filled), " ".join(map(str, path.states)))
            for path in view.paths
        ],
        numbers=(0,),
    )
