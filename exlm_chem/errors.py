"""The one exception class of failures that a user can do something about."""


class ExLMError(Exception):
    """An expected failure, explained to the user in one sentence: what is wrong, where, and what to do.

    The command line prints the message without a traceback and ends with status 1.

    Examples
    --------
    >>> raise ExLMError("column 'smile' is not in molecules.csv; its columns are: name, smiles")
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: column 'smile' is not in molecules.csv; its columns are: name, smiles
    """
