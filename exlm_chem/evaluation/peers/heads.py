"""The heads of published tables: what they leave open is decided by the validation part.

Our own heads decide within the training molecules. To set a published figure beside them it has to be made as it was:
a plain grid, of which the validation part chooses. These heads are for the benchmark only and are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.evaluation.peers.peer import PredictMolecules
from exlm_chem.evaluation.peers.registry import learning_peer
from exlm_chem.heads.preprocessing import Preprocessing
from exlm_chem.heads.registry import make_head
from exlm_chem.terms import Kind

FloatArray = NDArray[np.float64]
Features = dict[str, NDArray[np.float32]]
Predict = Callable[[Features], FloatArray]
"""Features of some molecules in, values or numbers that rank as probabilities do out: shape (molecules, columns)."""

LOGISTIC_C: Final = (0.001, 0.01, 0.1, 1.0, 10.0)
RIDGE_ALPHA: Final = (0.1, 1.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
SVM_C: Final = (0.1, 1.0, 10.0, 100.0)
TREES: Final = (25, 50, 100, 200, 400, 800)
FOREST: Final = 500


def linear(features: Features, labels: FloatArray, kind: Kind, seed: int) -> Iterator[Predict]:
    """Give logistic models (liblinear), or ridge regressions, of every strength."""
    from sklearn.linear_model import LogisticRegression, Ridge

    prepare = _prepared(features)
    x = prepare(features)
    for strength in LOGISTIC_C if kind == "classification" else RIDGE_ALPHA:
        if kind == "classification":
            make = _maker(LogisticRegression, C=strength, solver="liblinear", random_state=seed, max_iter=1000)
        else:
            make = _maker(Ridge, alpha=strength)
        yield _predictor(_each_column(make, x, labels), prepare)


def svm(features: Features, labels: FloatArray, kind: Kind, seed: int) -> Iterator[Predict]:
    """Give support vector machines with a radial basis function, gamma as scikit-learn scales it."""
    from sklearn.svm import SVC, SVR

    del seed  # nothing is drawn
    prepare = _prepared(features)
    x = prepare(features)
    for strength in SVM_C:
        make = _maker(SVC if kind == "classification" else SVR, C=strength)
        yield _predictor(_each_column(make, x, labels), prepare)


def forest(features: Features, labels: FloatArray, kind: Kind, seed: int) -> Iterator[Predict]:
    """Give a random forest of 500 trees on the features as they are, what is missing as the training median."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    fill = np.nan_to_num(np.nanmedian(_joined(features), axis=0))

    def prepare(some: Features) -> NDArray[np.float32]:
        x = _joined(some)
        return np.where(np.isnan(x), fill, x)

    kinds: Any = RandomForestClassifier if kind == "classification" else RandomForestRegressor
    make = _maker(kinds, n_estimators=FOREST, random_state=seed)
    yield _predictor(_each_column(make, prepare(features), labels), prepare)


def boosting(features: Features, labels: FloatArray, kind: Kind, seed: int) -> Iterator[Predict]:
    """Give LightGBM on the features as they are, after so many trees."""
    import lightgbm

    x = _joined(features)
    options = {
        "objective": "binary" if kind == "classification" else "regression", "learning_rate": 0.05, "num_leaves": 31,
        "feature_fraction": 0.3, "bagging_fraction": 0.8, "bagging_freq": 1, "seed": seed, "verbosity": -1,
        "num_threads": 1,
    }  # fmt: skip

    def learn(rows: NDArray[np.float32], y: FloatArray) -> Any:
        data = lightgbm.Dataset(rows, y.astype(np.float32), params=options)
        return lightgbm.train(options, data, max(TREES))

    models = _each_column(learn, x, labels)
    for trees in TREES:
        yield _predictor(models, _joined, num_iteration=trees)


PEER_HEADS: Final[dict[str, Callable[[Features, FloatArray, Kind, int], Iterator[Predict]]]] = {
    "plain-linear": linear,
    "plain-svm": svm,
    "forest": forest,
    "plain-boosting": boosting,
}
"""By the names that a benchmark gives them."""

WITHOUT_CHANCE: Final = frozenset({"plain-linear", "plain-svm"})
"""Those that are the same for every seed."""


def fit_candidates(
    name: str, features: Features, labels: FloatArray, kind: Kind, groups: Sequence[str], seed: int = 0
) -> Iterator[Predict]:
    """Fit a head, of ours or of others, in all ways of which the validation part is to choose: of ours there is one.

    Examples
    --------
    >>> x = {"x": np.arange(10, dtype=np.float32)[:, None]}
    >>> found = fit_candidates("plain-linear", x, 2.0 * x["x"], "regression", [])
    >>> [round(float(predict(x)[9, 0])) for predict in found][:3]
    [18, 17, 13]
    """
    alone = learning_peer([name])
    if alone is not None:
        for predict in alone.fit(features[name].tolist(), labels, kind, seed):
            yield _from_molecules(predict, name)
        return
    if name in PEER_HEADS:
        yield from PEER_HEADS[name](features, labels, kind, seed)
        return
    head = make_head(name).fit(features, labels, kind, groups, seed)
    yield lambda some: head.predict(some).astype(np.float64)


def decides_for_itself(name: str) -> bool:
    """Say whether a head needs no validation part: ours choose among their settings by folds of what they learn from.

    Examples
    --------
    >>> [decides_for_itself(name) for name in ("kernel", "plain-svm", "chemprop")]
    [True, False, False]
    """
    return name not in PEER_HEADS and learning_peer([name]) is None


def _from_molecules(predict: PredictMolecules, name: str) -> Predict:
    return lambda some: predict(some[name].tolist())


def _prepared(features: Features) -> Callable[[Features], NDArray[np.float32]]:
    """Scale descriptors and vectors as our heads do; of counts take log(1 + x) and nothing else."""
    numbers = Preprocessing.fit({name: values for name, values in features.items() if name != "ecfp"})

    def prepare(some: Features) -> NDArray[np.float32]:
        scaled = numbers.apply(some)
        parts = [scaled[name] if name in scaled else np.log1p(some[name]) for name in features]
        return np.concatenate(parts, axis=1)

    return prepare


def _joined(features: Features) -> NDArray[np.float32]:
    return np.concatenate(list(features.values()), axis=1)


def _maker(kind: Any, **settings: Any) -> Callable[[NDArray[np.float32], FloatArray], Any]:
    return lambda x, y: kind(**settings).fit(x, y)


def _each_column(
    learn: Callable[[NDArray[np.float32], FloatArray], Any], x: NDArray[np.float32], labels: FloatArray
) -> list[Any]:
    """Learn every column from the molecules of which it is known; a column that is constant is its value."""
    models: list[Any] = []
    for column in labels.T:
        known = ~np.isnan(column)
        values = np.unique(column[known])
        models.append(learn(x[known], column[known]) if len(values) > 1 else float(values[0]))
    return models


def _predictor(models: list[Any], prepare: Callable[[Features], NDArray[np.float32]], **settings: Any) -> Predict:
    def predict(some: Features) -> FloatArray:
        x = prepare(some)
        return np.stack([_answers(model, x, settings) for model in models], axis=1)

    return predict


def _answers(model: Any, x: NDArray[np.float32], settings: dict[str, Any]) -> FloatArray:
    if isinstance(model, float):
        return np.full(len(x), model)
    for method in ("predict_proba", "decision_function"):
        if hasattr(model, method):
            answers: FloatArray = getattr(model, method)(x)
            return answers[:, 1] if answers.ndim == 2 else answers
    return np.asarray(model.predict(x, **settings), dtype=np.float64)
