# For type checkers only: they cannot follow pyproject.toml's mapping of data/ to exlm_chem.data.
from pathlib import Path

def data_path(name: str) -> Path: ...
