"""What files commands read, in the words of their help."""

from typing import Final

TABLES: Final = ".csv .tsv .xlsx .jsonl .parquet .sdf, also .gz .zst"
MOLECULES: Final = f"A file (.smi {TABLES}), - for stdin, or SMILES."
