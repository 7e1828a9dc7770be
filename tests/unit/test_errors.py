"""What messages show of texts that come from files."""

import pytest

from exlm_chem.errors import ExLMError, printable, quoted


@pytest.mark.parametrize("text", ["a\nb", "a\r\x1b[31mb", "\udcff", "\u202etxt", "x\u2028y", "\x00", "\x85", "\ufeff"])
def test_messages_are_one_printable_line(text):
    for shown in (str(ExLMError(f"no {text}")), quoted(text), printable(text)):
        assert shown.isprintable()
        shown.encode()


def test_long_texts_lose_their_middle():
    shown = quoted("a" * 1000 + "b" * 1000)
    assert len(shown) == 62
    assert shown.startswith("'aaa")
    assert shown.endswith("bbb'")
    assert quoted("x" * 60) == repr("x" * 60)
    assert quoted(5) == "'5'"
    told = str(ExLMError(f"{'/home/me' * 500}/molecules.csv cannot be read"))
    assert len(told) == len(" cannot be read") + 200
    assert told.startswith("/home/me/home/")
    assert told.endswith("/home/me/molecules.csv cannot be read")
