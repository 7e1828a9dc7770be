"""Files that hold no table of molecules that could be read, and what to do about each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from exlm_chem.errors import ExLMError
from exlm_chem.tables.sources import Source

_CSV: Final = "save the table as CSV"
_UNPACK: Final = "unpack it first"
_CONVERT: Final = "convert it to .smi or .sdf, for instance with Open Babel"
_JSON: Final = "write one object per line (.jsonl), for instance with: jq -c '.[]'"

REMEDIES: Final[dict[str, tuple[str, str]]] = {
    **dict.fromkeys((".xls", ".xlsb", ".ods", ".numbers"), ("a spreadsheet", "save it as .xlsx or CSV")),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".7z", ".rar", ".bz2", ".xz"), ("an archive", _UNPACK)),
    **dict.fromkeys(
        (".mol2", ".pdb", ".cif", ".xyz", ".cml", ".cdx", ".cdxml", ".mae"), ("a structure file", _CONVERT)
    ),
    **dict.fromkeys((".rxn", ".rdf"), ("a file of reactions", "give a file of single molecules")),
    ".inchi": ("a file of InChI", f"{_CONVERT}: obabel -iinchi FILE -osmi"),
    ".json": ("a JSON document", _JSON),
    ".ipynb": ("a notebook", "write the table that it makes as CSV"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), ("a pickle, which may run code when it is read", _CSV)),
    **dict.fromkeys((".npy", ".npz", ".h5", ".hdf5", ".pt", ".safetensors"), ("a file of arrays", _CSV)),
    **dict.fromkeys((".feather", ".arrow", ".orc", ".avro"), ("a binary table", "save it as .parquet or CSV")),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), ("a database", "write a query's result as CSV")),
    **dict.fromkeys((".html", ".htm", ".xml", ".pdf", ".doc", ".docx", ".rtf"), ("a document", _CSV)),
}
"""By suffix: what such a file is, and what to do."""

_BEGINNINGS: Final = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "open it and save it as .xlsx or CSV"),
    (b"BZh", "compressed by bzip2", _UNPACK),
    (b"\xfd7zXZ", "compressed by xz", _UNPACK),
    (b"7z\xbc\xaf", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"%PDF", "a PDF document", _CSV),
    (b"\x89HDF", "an HDF5 file", _CSV),
    (b"\x93NUMPY", "a NumPy array", _CSV),
    (b"SQLite format", "a database", "write a query's result as CSV"),
    (b"ARROW1", "a binary table", "save it as .parquet or CSV"),
    (b"version https://git-lfs", "only a pointer of Git LFS to the file", "run: git lfs pull"),
)
_MARKUP: Final = re.compile(r"\s*<(?:!doctype|html|\?xml|head|body)\b", re.IGNORECASE)
_ARRAY: Final = re.compile(r'\s*(?:\[\s*(?:[{"\[]|$)|\{\s*(?:"|$))')


def refuse_bytes(source: Source) -> None:
    """Refuse what its first bytes or its suffix show to be something else.

    Raises
    ------
    ExLMError
        With the remedy.
    """
    for beginning, what, remedy in _BEGINNINGS:
        if source.head.startswith(beginning) and (not beginning.isalnum() or not source.head.isascii()):
            raise ExLMError(f"{source.name} is {what}; {remedy}")
    if source.suffix in REMEDIES and source.suffix != ".json":  # which may be JSON Lines
        raise ExLMError(f"{source.name} is {'; '.join(REMEDIES[source.suffix])}")


def refuse_text(source: Source, head: Sequence[str]) -> None:
    """Refuse what its first lines show to be no table of molecules.

    Raises
    ------
    ExLMError
        With the remedy.
    """
    beginning = "".join(head[:3])
    if _MARKUP.match(beginning):
        raise ExLMError(f"{source.name} is a web page or XML document; download the table itself")
    if source.suffix == ".json" or _ARRAY.match(beginning):
        raise ExLMError(f"{source.name} is a JSON document; {_JSON}")
