"""The file formats of molecules, one per file, each read as a table row by row.

Cells stay the strings that they were: nothing is taken for a number, trimmed or dropped. Parquet cells stay Arrow
scalars, so that they can be written back with their type; see `exlm_chem.tables.formats.registry` for all of them.
"""

from exlm_chem.tables.formats.table import Record, Table

__all__ = ["Record", "Table"]
