"""A description of a table, for reading."""

from collections.abc import Iterator, Sequence

from exlm_chem.data_sets.column_profile import ColumnProfile
from exlm_chem.data_sets.description import Description
from exlm_chem.data_sets.molecule_profile import MoleculeProfile
from exlm_chem.errors import quoted

from .screen import show_heading, show_table, show_text

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_MOST_COLUMNS = 40
_EXAMPLE = 20  # characters
_SHOWN = 3  # texts of a column


def show_description(found: Description) -> None:
    """Print what is in a table: the file, its columns, its molecules, and what to do."""
    form = [str(found.form.get("format") or "SMILES")]
    if "sheet" in found.form:
        form.append(f"sheet {quoted(found.form['sheet'])}")
    if found.form.get("encoding"):
        form.append(str(found.form["encoding"]))
    if "separator" in found.form:
        form.append(f"cells between {_SEPARATORS.get(found.form['separator'], quoted(found.form['separator']))}")
    if found.form.get("header_line", 1) != 1:
        form.append(f"names of columns in line {found.form['header_line'] or 'none'}")
    show_text(f"{found.file}: {', '.join(form)}; {found.rows:,} rows, {len(found.columns):,} columns")
    for note in found.notes:
        show_text(note)
    show_heading("Columns")
    rows = [_column(column) for column in found.columns[:_MOST_COLUMNS]]
    show_table(("column", "kind", "known", "missing", "different", "what is in it"), rows, numbers=(2, 3, 4))
    if len(found.columns) > _MOST_COLUMNS:
        show_text(f"and {len(found.columns) - _MOST_COLUMNS:,} more columns; --json tells all")
    show_heading("Molecules")
    show_table(("", ""), _molecules(found.molecules))
    show_heading("What to do")
    for warning in found.advice.warnings:
        show_text(f"* {warning}")
    show_text(found.advice.sentence)
    for command in found.advice.commands:
        show_text(f"  {command}")


def _column(column: ColumnProfile) -> tuple[str, ...]:
    about = "" if column.sampled == 1 else "about "
    return (
        column.name,
        column.kind,
        f"{column.known:,}",
        f"{column.missing:,}",
        f"{about}{column.distinct:,}",
        "; ".join(_contents(column)),
    )


def _contents(column: ColumnProfile) -> Iterator[str]:
    if column.classes:
        yield ", ".join(f"{text}: {count:,} ({count / column.known:.1%})" for text, count in column.classes.items())
        if column.positive and column.positive != ["1"]:
            yield f"{', '.join(map(quoted, column.positive))} is class 1"
    if column.is_count:
        yield "numbers the rows"
    elif column.numbers is not None:
        found = column.numbers
        yield f"{found.minimum:.4g} to {found.maximum:.4g}, median {found.median:.4g}, mean {found.mean:.4g}"
        if found.outliers:
            yield f"{found.outliers:,} far from the others"
        if found.limits:
            some = _some(list(found.limits), len(found.limits))
            yield f"{sum(found.limits.values()):,} limits, beyond which the truth lies: {some}"
    elif column.kind in ("text", "constant", "molecules"):
        yield _some(column.examples, column.distinct)
    if column.spelled_missing:
        yield f"not known is written {', '.join(map(quoted, column.spelled_missing))}"
    if column.problem:
        yield "cannot be learnt as it is, see below"


def _some(texts: Sequence[str], different: int) -> str:
    """List the first of some texts."""
    return ", ".join(quoted(text, _EXAMPLE) for text in texts[:_SHOWN]) + (", ..." if different > _SHOWN else "")


def _molecules(found: MoleculeProfile) -> Iterator[tuple[str, str]]:
    about = "" if found.sampled == 1 else "about "
    yield "readable", f"{found.readable:,} rows, {about}{found.different:,} different molecules"
    for kind, reason in found.unreadable.items():
        first = reason.example.removeprefix(kind).lstrip(": ")
        yield "unreadable", f"{reason.rows:,} x {kind}, first in line {reason.line}" + (first and f": {first}")
    for note, rows in found.notes.items():
        yield "noted", f"{rows:,} x {note}"
    if found.repeated:
        yield (
            "repeated",
            f"molecules in several rows: {about}{found.repeated:,}, rows beyond their first: {found.repeats:,}",
        )
    for column, count in found.contradictions.items():
        yield "contradictions", f"{about}{count:,} of these have different cells in column {quoted(column)}"
    if found.sizes is not None:
        sizes = found.sizes
        yield "heavy atoms", f"{sizes.smallest} to {sizes.largest} (line {sizes.largest_line}), median {sizes.median:g}"
        yield "elements", ", ".join(f"{name} {_share(count, found.readable)}" for name, count in found.elements.items())
    counts = {
        "salts, solvates or mixtures": found.several_parts,
        "charged": found.charged,
        "with stereo": found.stereo,
        "with isotopes": found.isotopes,
    }
    yield "rows", ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "nothing unusual"
    if found.scaffolds is not None:
        one = found.scaffolds
        largest = one.largest or "none, no rings"
        largest_share = f"the most frequent ({largest}) has {one.largest_share:.0%}"
        counted = f"{one.different:,} in {one.molecules:,} molecules, {one.single:,} of one molecule"
        yield "scaffolds", f"{counted}; {largest_share}, {one.without_rings:.0%} have no rings"


def _share(count: int, total: int) -> str:
    """Write a share, and where it is very small how many it is.

    Examples
    --------
    >>> _share(50, 100), _share(1, 1000)
    ('50%', 'in 1')
    """
    return f"{count / total:.0%}" if count >= 0.005 * total else f"in {count:,}"
