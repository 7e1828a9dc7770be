"""Which doctests cannot run here: a module that cannot be imported is left out by its name, never because it fails.

``--doctest-ignore-import-errors`` would also leave out a file of tests that cannot be imported, without a word.
"""

from importlib.util import find_spec

OPTIONAL = {
    "deepchem": ("embedding/deepchem", "embedding/deepchem_model", "embedding/quiet_deepchem"),
    "molfeat": ("embedding/molfeat",),
    "ray": ("tables/engines/ray",),
    "skfp": ("embedding/skfp",),
}
collect_ignore = [
    f"exlm_chem/{name}.py" for library, names in OPTIONAL.items() if not find_spec(library) for name in names
]
