"""What goes wrong with one molecule."""

from __future__ import annotations

from exlm_chem.errors import ExLMError


class MoleculeError(ExLMError, ValueError):
    """A text is no molecule, or a molecule has no such representation; the message says why.

    Examples
    --------
    >>> raise MoleculeError("the molecule has no atoms")
    Traceback (most recent call last):
        ...
    exlm_chem.smiles.errors.MoleculeError: the molecule has no atoms
    """


def first_line(error: Exception) -> str:
    r"""Give the first line of a message, or the error's name if it has none.

    Examples
    --------
    >>> first_line(ValueError("Bad Conformer Id\n in file x.cpp")), first_line(KeyError())
    ('Bad Conformer Id', 'KeyError')
    """
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
