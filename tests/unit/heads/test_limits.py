"""Labels of which only a limit is known."""

import numpy as np
import pytest

from exlm_chem.heads.registry import make_head

X = np.linspace(-1, 1, 60, dtype=np.float32)[:, None]
TRUTH = 3 * X.astype(float)


@pytest.mark.parametrize("name", ["linear", "network"])
def test_a_limit_pulls_to_its_side_only(name):
    labels, bounds = np.minimum(TRUTH, 0.0), (TRUTH > 0).astype(int)
    groups = range(len(X))
    as_values = make_head(name).fit({"exlm": X}, labels, "regression", groups)
    as_limits = make_head(name).fit({"exlm": X}, labels, "regression", groups, bounds=bounds)
    errors = [np.abs(head.predict({"exlm": X}) - TRUTH)[30:].mean() for head in (as_values, as_limits)]
    assert errors[1] < 0.8 * errors[0]
