"""Stages on molecules whose answers are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem

from exlm_chem.errors import ExLMError
from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.registry import make_stages
from exlm_chem.prediction.stages.stage import Molecules, Rows
from exlm_chem.predictors.chemistry import Chemistry
from exlm_chem.predictors.task import OutputColumn
from exlm_chem.predictors.training_molecules import TrainingMolecules
from tests.unit.smiles.nasty import cyclodextrin

NUMBER, PROBABILITY = OutputColumn("sol", "S", unit="logS"), OutputColumn("act", "A", threshold=0.5)

SHARES = np.array([[0.5], [0.5], [0.0]])


def answers(name, texts, values=None, members=None, background=None, **settings):
    """Give the columns of one stage by their names."""
    values = np.zeros((len(texts), 1)) if values is None else np.array(values, float)[:, None]
    background = background or Background("own", "regression", (NUMBER,), shares=SHARES)
    (stage,) = make_stages([name], background, StageSettings(**settings))
    computed = stage.compute(Rows(Molecules(texts), values, members))
    return {column.name: cells for column, cells in zip(stage.columns, computed, strict=True)}


def trained(texts, values, guesses, kind="regression", vectors=None) -> Background:
    column = NUMBER if kind == "regression" else PROBABILITY
    values, guesses = (np.array(one, float)[:, None] for one in (values, guesses))
    kept = TrainingMolecules.collect(texts, values, guesses, vectors)
    return Background("own", kind, (column,), lambda: kept)


def test_a_class_is_1_from_the_threshold_on() -> None:
    background = Background("own", "classification", (PROBABILITY, OutputColumn("none", "N")))
    stages = make_stages(["class"], background, StageSettings())
    rows = Rows(Molecules(["C"] * 3), np.array([[0.5, 0.9], [0.49, 0.9], [np.nan, np.nan]]))
    assert stages[0].compute(rows) == [[1, 0, None]]  # the column without threshold has no class


def test_an_interval_is_as_wide_as_the_errors_out_of_fold() -> None:
    background = trained(["C" * n for n in range(1, 11)], range(10), [n + 0.1 * n for n in range(10)])
    found = answers("interval", ["CC", None], [2.0, np.nan], background=background, coverage=0.8)
    # of ten errors 0.0 to 0.9 the ninth; values are kept in half precision
    assert found["sol_low"] == [pytest.approx(1.2, abs=1e-3), None]
    assert found["sol_high"] == [pytest.approx(2.8, abs=1e-3), None]


@pytest.mark.parametrize(("coverage", "said"), [(0.9, " 90% "), (0.995, " 99.5% "), (0.56, " 56% ")])
def test_the_coverage_is_said_as_it_is(coverage, said) -> None:
    for kind in ("regression", "classification"):
        background = trained(["C" * n for n in range(1, 11)], [0, 1] * 5, [0.5] * 10, kind)
        for stage in make_stages(["interval"], background, StageSettings(coverage=coverage)):
            assert all(said in column.meaning.replace(":", " ") for column in stage.columns)


def test_too_few_molecules_have_no_interval_and_say_so() -> None:
    background = trained(["C", "CC"], [1, 2], [1, 2])
    (stage,) = make_stages(["interval"], background, StageSettings())
    assert stage.compute(Rows(Molecules(["C"]), np.zeros((1, 1)))) == [[None], [None]]
    assert "too few training molecules" in stage.columns[0].meaning


def test_sets_of_classes() -> None:
    texts = ["C" * n for n in range(1, 101)]
    labels = np.arange(100) % 2
    background = trained(texts, labels, np.where(labels == 1, 0.8, 0.1), "classification")
    values = [0.95, 0.5, 0.05, np.nan]
    found = answers("interval", ["C"] * 3 + [None], values, background=background, coverage=0.9)
    assert found == {"act_set": ["{1}", "{}", "{0}", None]}
    wide = answers("interval", ["C"], [0.5], background=background, coverage=0.999)
    assert wide == {"act_set": ["{0,1}"]}  # too few molecules to exclude anything


def test_sets_for_each_class() -> None:
    labels = np.array([1] * 10 + [0] * 190)
    guesses = np.where(labels == 1, 0.4, 0.05)
    background = trained(["C" * n for n in range(1, 201)], labels, guesses, "classification")
    together = answers("interval", ["C"], [0.45], background=background, coverage=0.9, conformal="all")
    assert together == {"act_set": ["{}"]}
    assert answers("interval", ["C"], [0.45], background=background, coverage=0.9) == {"act_set": ["{1}"]}


def test_spread_is_the_deviation_of_the_members_each_counted_as_in_their_mean() -> None:
    members = np.array([[[1.0], [np.nan]], [[3.0], [np.nan]], [[99.0], [np.nan]]])
    spread = answers("spread", ["C", None], [2, np.nan], members)["sol_spread"]
    assert spread == [pytest.approx(np.std([1, 3]), abs=1e-4), None]


def test_percentiles_among_the_training_molecules_and_among_others() -> None:
    background = trained(["C", "CC", "CCC", "CCCC"], [9, 9, 9, 9], [1, 2, 3, np.nan])
    texts, values = ["C", "C", "C", "C", None], [0, 2, 2.5, 9, np.nan]
    found = answers("percentile", texts, values, background=background)
    assert found == {"sol_percentile": [0.0, 50.0, 66.667, 100.0, None]}
    predicted = Background("own", "regression", (NUMBER,), predict=lambda texts: np.arange(len(texts))[:, None] * 1.0)
    other = answers("percentile", ["C"], [3], background=predicted, reference=["C"] * 10, reference_name="of the drugs")
    assert other == {"sol_percentile": [35.0]}
    nothing = trained([], [], [])
    assert answers("percentile", ["C"], [3], background=nothing) == {"sol_percentile": [None]}


def test_domain_and_training() -> None:
    texts = ["CCCCCO", "CCCCCCO", "CCCCCCCO", "C[C@H](O)CCCC", "[NH3+]CCCCC"]
    background = trained(texts, range(5), range(5))
    new = ["CCCCCO", "C[C@@H](O)CCCC", "CCCCCN", "CCCCC[Si]", "[O-]CCCCCO", "O=C1NC(=O)c2ccccc21", None]
    inside = answers("domain", new, background=background)
    assert inside == {"own_in_domain": [True, True, True, False, False, False, None]}
    found = answers("novelty", new, background=background)
    assert found["own_in_training"] == ["yes", "stereo", "no", "no", "no", "no", None]
    assert found["own_unseen"][3:] == ["element Si", "charge -1", "11 heavy atoms", None]


def test_neighbours_and_their_values() -> None:
    texts = ["CCCCCO", "c1ccccc1C", "CC(=O)N"]
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], np.float32)

    class Encoder:
        fingerprint, width, name = "encoder", 2, "exlm"

        def compute(self, molecules):
            return np.array([[0.0, 2.0] for _ in molecules], np.float32)

    kept = trained(texts, [1.5, -3.0, np.nan], [0, 0, 0], vectors=vectors)
    background = Background("own", "regression", (NUMBER,), kept.training, Encoder())
    found = answers("neighbours", ["CCCCO", "CC(=O)NC", None], background=background)
    assert found["own_nearest_smiles"] == ["CCCCCO", "CC(=O)N", None]
    assert found["sol_nearest"] == [1.5, None, None]
    assert 0.5 < found["own_nearest_similarity"][0] < 1
    assert found["own_vector_nearest_smiles"] == ["c1ccccc1C", "c1ccccc1C", None]
    assert found["sol_vector_nearest"] == [-3.0, -3.0, None]
    assert found["own_vector_nearest_similarity"] == [1.0, 1.0, None]


def test_neighbours_of_a_training_part_without_molecules() -> None:
    found = answers("neighbours", ["CC"], background=trained([], [], []))
    assert found == {"own_nearest_smiles": [None], "own_nearest_similarity": [None], "sol_nearest": [None]}


def test_alerts() -> None:
    found = answers("alerts", ["O=C1/C(=C/c2ccccc2)SC(=S)N1C", "CCO", None], alerts=("pains", "brenk", "nih"))
    assert found == {
        "alerts_pains": ["ene_rhod_A(235)", "", None],
        "alerts_brenk": ["Michael_acceptor_1; Thiocarbonyl_group", "", None],
        "alerts_nih": ["rhodanine", "", None],
    }
    with pytest.raises(ExLMError, match="no list of alerts 'lilly'; use pains"):
        answers("alerts", ["C"], alerts=("lilly",))


def test_descriptors_of_aspirin_and_of_what_has_none() -> None:
    found = answers("descriptors", ["CC(=O)Oc1ccccc1C(=O)O", "[Na+].[Cl-]", None])
    expected = {"mol_weight": 180.16, "tpsa": 63.6, "h_donors": 1, "h_acceptors": 3, "rotatable_bonds": 2, "rings": 1}
    assert {name: found[name][0] for name in expected} == expected
    assert found["logp"][0] == pytest.approx(1.31, abs=0.01)
    assert found["qed"][0] == pytest.approx(0.55, abs=0.01)
    assert (found["charge"], found["heavy_atoms"]) == ([0, 0, None], [13, 2, None])
    big = "CCCCCCCCCCCCCCCCCCCC" * 2
    assert answers("descriptors", [big])["lipinski_broken"] == [2]


def test_a_molecule_of_many_rings_has_its_cells() -> None:
    ring = Chem.CanonSmiles(cyclodextrin(8))  # RDKit might take long for such a one, and does not for this
    for name in ("descriptors", "alerts"):
        (stage,) = make_stages([name], Background("own", "regression", (NUMBER,)), StageSettings())
        rows = Rows(Molecules([ring, None]), np.zeros((2, 1)))
        assert stage.compute(rows) == [[cell, None] for cell in stage.describe(Chem.MolFromSmiles(ring))]
    ions = answers("descriptors", [".".join(["[Na+]", "[Cl-]"] * 700)])
    assert (ions["heavy_atoms"], ions["qed"]) == ([1400], [None])
    background = trained(["CCO", "CCN", "CCCl"], [0, 1, 2], [0, 1, 2])
    assert answers("domain", [ring], background=background) == {"own_in_domain": [False]}
    assert answers("novelty", [ring], background=background)["own_unseen"] == ["88 heavy atoms"]


def test_nothing_of_a_training_molecule_is_new() -> None:
    ring = Chem.CanonSmiles(cyclodextrin(8))
    background = trained(["CCN", ring], [0, 1], [0, 1])
    training = background.need_training("novelty")
    assert (training.chemistry.most_atoms, training.chemistry.elements) == (88, ("C", "N", "O"))
    # as predictors have it that were trained by versions to which such a molecule was too large
    older = replace(training, chemistry=Chemistry(("C", "N"), 3, 3, (0,)), least_similarity=0.5)
    background = Background("own", "regression", (NUMBER,), lambda: older)
    assert answers("novelty", [ring], background=background) == {"own_in_training": ["yes"], "own_unseen": [""]}
    assert answers("domain", [ring, "CCO"], background=background) == {"own_in_domain": [True, False]}
