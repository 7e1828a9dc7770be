"""Names that are free."""

from exlm_chem.tables.names import free_name, unique_names


def test_a_name_that_is_free_stays() -> None:
    assert free_name("error", ["smiles"], "exlm_") == "error"


def test_a_prefix_comes_before_a_number() -> None:
    taken = ["error", "exlm_error", "exlm_error_2"]
    assert free_name("error", taken[:1], "exlm_") == "exlm_error"
    assert free_name("error", taken, "exlm_") == "exlm_error_3"
    assert free_name("error", taken) == "error_2"


def test_all_names_are_different_and_the_first_of_equals_keeps_its_own() -> None:
    assert unique_names(["a", "a", "a_2", "a", "b"]) == ["a", "a_2", "a_2_2", "a_3", "b"]
