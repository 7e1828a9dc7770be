"""Which doctests cannot run here: a module that cannot be imported is left out by its name, never because it fails.

``--doctest-ignore-import-errors`` would also leave out a file of tests that cannot be imported, without a word.
"""

from importlib.util import find_spec

WITH_DEEPCHEM = ("deepchem", "deepchem_model", "quiet_deepchem")
collect_ignore = [] if find_spec("deepchem") else [f"exlm_chem/embedding/{name}.py" for name in WITH_DEEPCHEM]
