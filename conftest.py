"""Which doctests cannot run here: a module that cannot be imported is left out by its name, never because it fails.

``--doctest-ignore-import-errors`` would also leave out a file of tests that cannot be imported, without a word.
"""

from importlib.util import find_spec

OPTIONAL = {"deepchem": ("deepchem", "deepchem_model", "quiet_deepchem"), "skfp": ("skfp",), "molfeat": ("molfeat",)}
collect_ignore = [
    f"exlm_chem/embedding/{name}.py" for library, names in OPTIONAL.items() if not find_spec(library) for name in names
]
