"""The one exception class of failures that a user can do something about, and how a message shows a text."""


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


def quoted(text: object, most: int = 60) -> str:
    r"""Write a text that comes from a file or from the environment for a message.

    It is quoted, on one line and shortened; control characters and bytes that are no text are escaped, so that no
    terminal obeys them.

    Examples
    --------
    >>> print(quoted("log\nS"), quoted("\x1b[31mred"), quoted("café"), quoted("C" * 80, most=10))
    'log\nS' '\x1b[31mred' 'café' 'CCCCCCC...'
    """
    shown = str(text)
    return repr(shown if len(shown) <= most else shown[: most - 3] + "...")
