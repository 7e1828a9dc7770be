"""JSON that becomes a checked dataclass."""

import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exlm_chem.errors import ExLMError
from exlm_chem.storage import read_json
from exlm_chem.storage.records import Between, Sha256, check_fields, content_sha256, from_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@dataclass(frozen=True)
class Part:
    name: str
    range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Whole:
    size: Annotated[int, Between(1, 100)]
    share: float = 0.5
    kind: Literal["a", "b"] = "a"
    on: bool = True
    digest: Sha256 = "0" * 64
    parts: tuple[Part, ...] = ()
    sizes: dict[str, int] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)


GOOD = {
    "size": 3,
    "share": 1,
    "parts": [{"name": "p", "range": [0, 1.5]}],
    "sizes": {"x": 1},
    "rest": {"any": [None]},
    "unknown": 1,
}


def test_a_record_is_made_with_its_parts():
    whole = from_json(Whole, GOOD)
    assert whole.parts == (Part("p", (0.0, 1.5)),)
    assert isinstance(whole.share, float)
    check_fields(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": True}, "size must be a whole number of 1 to 100, not true"),
        ({"size": 3.0}, "size must be a whole number of 1 to 100, not 3.0"),
        ({"size": 0}, "size must be a whole number of 1 to 100, not 0"),
        ({"size": 10**400}, "size must be a whole number of 1 to 100, not a number of more than 20 digits"),
        ({"share": float("nan")}, "share must be a number, not nan"),
        ({"share": 10**400}, "share must be a number, not a number of more than 20 digits"),
        ({"kind": ["a"]}, "kind must be one of a, b, not a list"),
        ({"on": 1}, "on must be true or false, not 1"),
        ({"digest": "0"}, "digest must be a sha256 (64 hexadecimal digits), not '0'"),
        ({"parts": {}}, "parts must be a list, not an object"),
        ({"parts": [{"name": None}]}, "parts[0].name must be a text, not null"),
        ({"parts": [{}]}, "parts[0].name is missing"),
        ({"parts": ["p"]}, "parts[0] must be an object, not 'p'"),
        ({"parts": [{"name": "p", "range": [1]}]}, "parts[0].range must be a list of 2, not of 1"),
        ({"parts": [{"name": "\ud800"}]}, "parts[0].name must be a text, not '\\ud800'"),
        ({"sizes": {"a\nb": "1"}}, "sizes.'a\\nb' must be a whole number, not '1'"),
    ],
)
def test_every_wrong_value_is_named(change, message):
    with pytest.raises(ExLMError) as caught:
        from_json(Whole, GOOD | change)
    assert str(caught.value) == message


@given(st.fixed_dictionaries({"size": JSON}, optional=dict.fromkeys(("share", "kind", "parts", "sizes", "rest"), JSON)))
def test_whatever_json_says_is_right_or_explained_on_one_line(content):
    problem = ""
    try:
        check_fields(from_json(Whole, content))
    except ExLMError as error:
        problem = str(error)
    assert "\n" not in problem


def test_the_hash_is_of_what_is_said(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"b": [1, 2.5], "a": "é"}, indent=3).replace("\n", "\r\n"), encoding="utf-8")
    digest = content_sha256({"a": "é", "b": [1, 2.5]})
    assert content_sha256(read_json(path) | {"sha256": digest}) == digest
    assert content_sha256({"a": "é", "b": [2.5, 1]}) != digest
