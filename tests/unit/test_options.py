"""Options declared in a dataclass: what they may be, and what the documentation says of them."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.options import check_options, declared, documented, from_json, option


@documented
@dataclass(frozen=True, kw_only=True)
class Cooking:
    """How to cook."""

    minutes: float = option(10.0, "How long.", above=0, most=600, note="Eggs need less.")
    eggs: int = option(1, "How many.", least=1)
    limit: float | None = option(None, "When to stop.")
    way: Literal["boil", "fry"] = option("boil", "How.", flag="--method")
    spices: tuple[Literal["salt", "pepper"], ...] = option((), "What goes in.")
    names: tuple[str, ...] = option((), "Who eats.", flag="--for")
    covered: bool = option(False, "Lid on.")
    plain: int = 3

    def __post_init__(self) -> None:
        check_options(self)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"minutes": float("nan")}, "--minutes must be a number larger than 0 and of at most 600, not nan."),
        ({"minutes": float("inf")}, "--minutes must be a number larger than 0 and of at most 600, not inf."),
        ({"minutes": 0}, "--minutes must be a number larger than 0 and of at most 600, not 0."),
        ({"minutes": "long"}, "--minutes must be a number larger than 0 and of at most 600, not 'long'."),
        ({"minutes": None}, "--minutes must be a number larger than 0 and of at most 600, not None."),
        ({"limit": float("-inf")}, "--limit must be a number, not -inf."),
        ({"eggs": 0}, "--eggs must be a whole number of at least 1, not 0."),
        ({"eggs": True}, "--eggs must be a whole number of at least 1, not True."),
        ({"eggs": 1.0}, "--eggs must be a whole number of at least 1, not 1.0."),
        ({"eggs": 10**30}, "--eggs must be a whole number of at least 1, not 1000000000000000000000000000000."),
        ({"eggs": 10**80}, f"--eggs must be a whole number of at least 1, not 1{'0' * 56}...."),
        ({"way": "roast"}, "--method must be one of boil, fry, not 'roast'."),
        ({"way": ["boil"]}, "--method must be one of boil, fry, not ['boil']."),
        ({"spices": ("salt", "sand")}, "--spices must be one of salt, pepper, not 'sand'."),
        ({"spices": "salt"}, "--spices must be a tuple, not 'salt'."),
        ({"names": (1,)}, "--for must be a text, not 1."),
        ({"covered": 1}, "--covered must be true or false, not 1."),
    ],
)
def test_a_value_that_cannot_be_is_one_sentence(values: dict, sentence: str) -> None:
    with pytest.raises(ExLMError) as caught:
        Cooking(**values)
    assert str(caught.value) == sentence


def test_what_may_be() -> None:
    assert Cooking(minutes=3, limit=None, way="fry", spices=("salt",), names=("a", "b"), covered=True).minutes == 3


def test_declared_and_documented() -> None:
    assert [one.flag for one in declared(Cooking)] == [
        *("--minutes", "--eggs", "--limit", "--method", "--spices", "--for", "--covered"),
    ]
    assert "minutes : float\n    How long. Eggs need less.\n" in Cooking.__doc__
    assert "spices : tuple of {'salt', 'pepper'}\n" in Cooking.__doc__
    assert "limit : float, optional\n" in Cooking.__doc__


def test_options_come_back_from_json() -> None:
    options = Cooking(spices=("salt", "pepper"), limit=2.5)
    saved = {name: value for name, value in json.loads(json.dumps(asdict(options))).items() if name != "plain"}
    assert from_json(Cooking, saved) == options


@pytest.mark.parametrize(
    ("saved", "sentence"),
    [
        ([], "there are no options of Cooking"),
        (None, "there are no options of Cooking"),
        ({"salt": 1}, "'salt' is no option of Cooking"),
        ({"spices": ["sand"]}, "--spices must be one of salt, pepper, not 'sand'"),
        ({"spices": [["salt"]]}, "--spices must be one of salt, pepper, not ['salt']"),
        ({"eggs": None}, "--eggs must be a whole number"),
        ({"minutes": "NaN"}, "--minutes must be a number"),
    ],
)
def test_what_is_no_options_is_one_sentence(saved: object, sentence: str) -> None:
    with pytest.raises(ExLMError) as caught:
        from_json(Cooking, saved)
    assert str(caught.value).startswith(sentence)
