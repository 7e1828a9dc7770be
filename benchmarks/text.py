r"""Claim: what learns molecules learns English, exlm and mlm after as many steps with as many texts in each.

Runs ``examples/text/pretrain_english.py`` on one file per book of a folder and writes ``benchmarks/results/text.json``.
The books of the King James Bible, whose text is in the public domain, come from Debian's packages bible-kjv and
bible-kjv-text:

    mkdir books; bible -f -l1000 Ge1:1-Re22:21 </dev/null | \
        awk '{book=$1; sub(/[0-9]+:[0-9]+$/, "", book); $1=""; print > ("books/" book ".txt")}'
    python -m benchmarks.text books
"""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path

from benchmarks.writer import ROOT, arguments, write_result

EXAMPLE = ROOT / "examples" / "text" / "pretrain_english.py"


def main() -> None:
    """Run the example and write the result."""
    parser = arguments("text", __doc__)
    parser.add_argument("books", type=Path)
    parser.add_argument("--steps", type=int, default=350)
    args = parser.parse_args()
    files = sorted(args.books.glob("*.txt"))
    with tempfile.TemporaryDirectory() as folder:
        found = runpy.run_path(str(EXAMPLE))["run"](files, Path(folder) / "run", args.steps)
    write_result(args.output, {"books": len(files)} | found)


if __name__ == "__main__":
    main()
