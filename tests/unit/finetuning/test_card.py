"""What a card says of numbers."""

import math

from hypothesis import given
from hypothesis import strategies as st

from exlm_chem.finetuning.card import format_number


@given(st.floats(1e-30, 1e30), st.sampled_from([1, -1]))
def test_numbers_have_three_significant_digits(value, sign):
    text = format_number(sign * value)
    assert math.isclose(float(text), sign * value, rel_tol=0.0051)
    digits = text.lstrip("-").partition("e")[0].replace(".", "").lstrip("0")
    assert len(digits) == 3 or digits[3:].strip("0") == ""


def test_numbers_at_the_edges():
    assert [format_number(value) for value in (0.0, -0.0, 1.0, 0.9999, 99999.0, 0.000999, None)] == [
        "0", "0", "1.00", "1.00", "100000", "9.99e-04", "-",
    ]  # fmt: skip
