"""A state graph as a picture: a column of states for each expanded token, ways between them, and the best paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise
from typing import Final

from exlm_chem.analysis.graph import GraphView, State

_COLUMN: Final = 152
_ROW: Final = 46
_BAR: Final = (96, 20)
_RADIUS: Final = 12
_LETTER: Final = 8.6
_TOP: Final = 84
_MOST_LETTERS: Final = 26
_FAINT: Final = 0.28
_PATHS: Final = ("#d1495b", "#1f6fb2", "#2e8b57", "#b8860b", "#7b4fa3", "#3b8ea5")
_TOKENS: Final = {
    "C": "#d9d9d9", "c": "#d9d9d9", "N": "#a9c4ef", "n": "#a9c4ef", "O": "#f4b3ac", "o": "#f4b3ac",
    "S": "#f3e2a0", "s": "#f3e2a0", "F": "#c2e5c1", "Cl": "#c2e5c1", "Br": "#e0bfae", "I": "#d6c0e4",
}  # fmt: skip
_OTHER: Final = "#eeeeee"


@dataclass(frozen=True)
class _Column:
    """A part of the sequence: an expanded token with the numbers of its states, or plain tokens in a row."""

    label: str
    states: tuple[int, ...]
    left: float
    width: float

    @property
    def node(self) -> float:
        """Where the middle of its states is."""
        return self.left + _RADIUS + 6


def draw_graph(view: GraphView) -> str:
    """Draw a state graph as SVG.

    Parameters
    ----------
    view : GraphView
        From `view_graph`.

    Returns
    -------
    str
        Of each state there is a circle, the darker the more paths go through it, and a bar of its tokens. Grey lines
        are transitions, as thick as the share of the paths that take them; coloured lines the best paths.
    """
    columns = _columns(view)
    rows = max(len(column.states) for column in columns)
    places = {
        state: (column.node, float(_TOP + _ROW * row)) for column in columns for row, state in enumerate(column.states)
    }
    width, legend = columns[-1].left + columns[-1].width, _TOP + _ROW * rows + 14
    height = legend + 22 * len(view.paths) + 12
    parts = [
        *_sequence(columns),
        *_transitions(view, places),
        *_best_paths(view, places),
        *(part for number, place in places.items() for part in _state(view.states[number], place)),
        *(part for column in columns for part in _numbers(column, places)),
        *_legend(view, legend),
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family="Helvetica, Arial, sans-serif">'
    )
    return "\n".join([head, f"<title>{escape(view.text)}</title>", *parts, "</svg>"])


def _columns(view: GraphView) -> list[_Column]:
    states: dict[int, list[int]] = {}
    for number, state in enumerate(view.states):
        states.setdefault(state.token, []).append(number)
    columns, left = [], 16.0
    for expanded, group in groupby(range(len(view.sequence)), key=lambda token: token in states):
        tokens = list(group)
        if expanded:
            for token in tokens:
                columns.append(_Column(view.sequence[token], tuple(states[token]), left, _COLUMN))
                left += _COLUMN
        else:
            label = "".join(view.sequence[token] for token in tokens)
            if len(label) > _MOST_LETTERS:
                label = f"{label[: _MOST_LETTERS // 2 - 1]}\u2026{label[-_MOST_LETTERS // 2 + 1 :]}"
            columns.append(_Column(label, (), left, len(label) * _LETTER + 28))
            left += columns[-1].width
    return columns


def _sequence(columns: Sequence[_Column]) -> Iterator[str]:
    for column in columns:
        middle = column.left + column.width / 2 - 10
        if column.states:
            middle = column.node + (_RADIUS + _BAR[0]) / 2
            wide = len(column.label) * _LETTER + 14
            mask = column.label.startswith("[")
            colours = 'fill="#fff4d6" stroke="#c99700"' if mask else 'fill="#f2f2f2" stroke="#bbbbbb"'
            yield f'<rect x="{middle - wide / 2:.1f}" y="16" width="{wide:.1f}" height="26" rx="5" {colours}/>'
        yield (
            f'<text x="{middle:.1f}" y="34" font-size="14" text-anchor="middle" '
            f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">{escape(column.label)}</text>'
        )


def _transitions(view: GraphView, places: dict[int, tuple[float, float]]) -> Iterator[str]:
    for one in view.transitions:
        way = _curve(places[one.source], places[one.target])
        told = f"state {one.source} to {one.target}: probability {one.probability:.3g}, taken by {one.use:.1%} of paths"
        yield (
            f'<path d="{way}" fill="none" stroke="#9a9a9a" stroke-width="{0.6 + 9 * one.use:.2f}" '
            f'stroke-opacity="{0.25 + 0.2 * one.use:.2f}"><title>{told}</title></path>'
        )


def _best_paths(view: GraphView, places: dict[int, tuple[float, float]]) -> Iterator[str]:
    for number, path in enumerate(view.paths):
        shift = 3.2 * (number - (len(view.paths) - 1) / 2)
        stops = [(x, y + shift) for x, y in (places[state] for state in path.states)]
        way = " ".join(_curve(*pair) for pair in pairwise(stops))
        yield f'<path d="{way}" fill="none" stroke="{_PATHS[number % len(_PATHS)]}" stroke-width="2"/>'


def _curve(start: tuple[float, float], end: tuple[float, float]) -> str:
    """Go from one state to another: below the bars of the first column, then level."""
    (x, y), (to_x, to_y) = start, end
    if to_x == x:  # from one state of a token to another
        return f"M{x:.1f},{y:.1f} C{x - 26:.1f},{y:.1f} {x - 26:.1f},{to_y:.1f} {x:.1f},{to_y:.1f}"
    leave = min(x + _RADIUS + _BAR[0] + 8, to_x - 18)
    bend = (leave + to_x) / 2
    return f"M{x:.1f},{y:.1f} L{leave:.1f},{y:.1f} C{bend:.1f},{y:.1f} {bend:.1f},{to_y:.1f} {to_x:.1f},{to_y:.1f}"


def _state(state: State, place: tuple[float, float]) -> Iterator[str]:
    x, y = place
    shade = _FAINT + (1 - _FAINT) * min(state.visits, 1.0)
    told = f"on {state.visits:.1%} of the paths: " + ", ".join(f"{token} {chance:.3f}" for token, chance in state.top)
    yield f'<g opacity="{shade:.2f}"><title>{escape(told)}</title>'
    left, (wide, high) = x + _RADIUS + 5, _BAR
    yield f'<rect x="{left:.1f}" y="{y - high / 2:.1f}" width="{wide}" height="{high}" rx="3" fill="#ffffff"/>'
    start = left
    for token, chance in state.top:
        size = chance * wide
        if size < 1.5:
            break
        colour = _TOKENS.get(token.strip("[]")[:2], _TOKENS.get(token.strip("[]")[:1], _OTHER))
        yield (
            f'<rect x="{start:.1f}" y="{y - high / 2:.1f}" width="{size:.1f}" height="{high}" fill="{colour}" '
            f'stroke="#ffffff" stroke-width="0.8"/>'
        )
        if size >= 7 * len(token) + 3:
            yield (
                f'<text x="{start + size / 2:.1f}" y="{y + 4:.1f}" font-size="11" text-anchor="middle" '
                f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">{escape(token)}</text>'
            )
        start += size
    yield (
        f'<rect x="{left:.1f}" y="{y - high / 2:.1f}" width="{wide}" height="{high}" rx="3" fill="none" '
        f'stroke="#8a8a8a" stroke-width="0.8"/></g>'
    )


def _numbers(column: _Column, places: dict[int, tuple[float, float]]) -> Iterator[str]:
    for number, state in enumerate(column.states, 1):
        x, y = places[state]
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS}" fill="#ffffff" stroke="#555555"/>'
        yield f'<text x="{x:.1f}" y="{y + 4:.1f}" font-size="11" text-anchor="middle" fill="#333333">{number}</text>'


def _legend(view: GraphView, top: float) -> Iterator[str]:
    for number, path in enumerate(view.paths):
        y = top + 22 * number
        colour = _PATHS[number % len(_PATHS)]
        yield f'<line x1="22" y1="{y:.1f}" x2="52" y2="{y:.1f}" stroke="{colour}" stroke-width="2.5"/>'
        filled = "  ".join(path.filled)
        yield (
            f'<text x="62" y="{y + 4:.1f}" font-size="12" xml:space="preserve">'
            f'<tspan font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">{escape(filled)}</tspan>'
            f'<tspan fill="#666666">   path {number + 1}, log-probability {path.log_probability:.2f}</tspan></text>'
        )
