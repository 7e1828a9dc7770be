"""``exlm-chem tokenize``."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from exlm_chem.errors import printable
from exlm_chem.options import check_options, option
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.terms import Scheme

from .options import takes_options
from .streams import say

EXAMPLE = "exlm-chem tokenize 'C[C@@H](N)C(=O)O' '[13CH4]'"


@dataclass(frozen=True, kw_only=True)
class TokenizeOptions:
    """How SMILES are cut into tokens."""

    scheme: Scheme = option("lossless", "lossless: every SMILES; atomwise: as the authors; selfies: in SELFIES.")

    def __post_init__(self) -> None:
        check_options(self)


@takes_options
def tokenize(
    molecules: Annotated[list[str], typer.Argument(help="SMILES, or one file of molecules, or - for stdin.")],
    options: TokenizeOptions,
    reading: ReadOptions,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Show the tokens of SMILES, or count those of a file.

    Of a file: how many tokens, the longest molecule, what is unknown, and what is no SMILES, with line and position.
    """
    from exlm_chem.tables.reader import MoleculeReader
    from exlm_chem.token_counts import count_tokens
    from exlm_chem.tokenizer import ExLMTokenizer

    tokenizer = ExLMTokenizer(options.scheme)
    with MoleculeReader(molecules, reading) as reader:
        if reader.name == "the command line":
            _show_tokens([record.smiles or "" for record in reader], tokenizer, as_json)
            return
        counts = vars(count_tokens(((record.line, record.smiles) for record in reader), tokenizer))
        for note in reader.notes:
            say(printable(note))
    typer.echo(json.dumps(counts, indent=2) if as_json else _as_text(counts))


def _show_tokens(smiles: list[str], tokenizer: Any, as_json: bool) -> None:
    from exlm_chem.errors import ExLMError

    shown: list[dict[str, Any]] = []
    for text in smiles:
        try:
            tokens = tokenizer.tokenize(text.strip())
            shown.append({"smiles": text, "tokens": tokens, "ids": tokenizer.encode(text.strip()), "error": None})
        except ExLMError as error:
            shown.append({"smiles": text, "tokens": None, "ids": None, "error": str(error)})
    if as_json:
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    for row in shown:
        if row["error"]:
            say(row["error"])
        elif not as_json:
            typer.echo(" ".join(token if token in tokenizer.vocab else f"<unk:{token}>" for token in row["tokens"]))
    if any(row["error"] for row in shown):
        raise typer.Exit(1)


def _as_text(counts: dict[str, Any]) -> str:
    mean = counts["tokens"] / max(counts["molecules"], 1)
    lines = [
        f"rows        {counts['rows']:>12,}",
        f"molecules   {counts['molecules']:>12,}",
        f"tokens      {counts['tokens']:>12,}  ({mean:.1f} in a molecule)",
        f"longest     {counts['longest']:>12,}  (line {counts['longest_line']})",
        f"unknown     {sum(counts['unknown'].values()):>12,}",
        f"not SMILES  {counts['failed']:>12,}",
    ]
    if counts["longest_line"] is None:
        lines[3] = f"longest     {0:>12,}"
    if counts["empty"]:
        lines.append(f"empty       {counts['empty']:>12,}")
    if counts["cut"]:
        lines.append(f"more text   {counts['cut']:>12,}  (after the SMILES, left aside)")
    frequent = sorted(counts["unknown"].items(), key=lambda item: -item[1])[:20]
    lines += [f"unknown {token!r}: {number:,} times" for token, number in frequent]
    lines += [f"line {line}: {error}" for line, error in counts["errors"]]
    if counts["failed"] > len(counts["errors"]):
        lines.append(f"and {counts['failed'] - len(counts['errors']):,} more rows")
    return "\n".join(lines)
