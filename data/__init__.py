"""Small real data that ships with the package; README.md beside this file says where each file comes from."""

from importlib.resources import files
from pathlib import Path

from exlm_chem.errors import ExLMError


def data_path(name: str) -> Path:
    """Give the path of a data file that ships with the package.

    Parameters
    ----------
    name : str
        File name, for example ``"tasks.toml"``, ``"examples.csv"`` or ``"zinc_20k.smi.gz"``.

    Returns
    -------
    Path
        The file, in a checkout as well as in an installed wheel.

    Examples
    --------
    >>> data_path("tasks.toml").name
    'tasks.toml'
    """
    # pip always unpacks wheels, so the resource is a file on disk.
    folder = Path(str(files(__name__)))
    path = folder / name
    if not path.is_file():
        shipped = sorted(p.name for p in folder.iterdir() if p.suffix in {".csv", ".gz", ".toml"})
        raise ExLMError(f"no data file '{name}' ships with exlm-chem; there are: {', '.join(shipped)}")
    return path
