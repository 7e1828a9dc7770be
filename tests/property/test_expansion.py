"""Expansion of any batch: every state is where a slow, obvious loop puts it."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from exlm_chem.modeling.expansion import expand_tokens

PAD = 1
ROWS = st.lists(st.lists(st.tuples(st.integers(2, 50), st.booleans()), min_size=1, max_size=12), min_size=1, max_size=5)


@given(ROWS, st.integers(1, 5))
@settings(deadline=None)
def test_every_state_has_its_place(rows: list[list[tuple[int, bool]]], k: int) -> None:
    width = max(map(len, rows))
    ids = torch.tensor([[t for t, _ in row] + [PAD] * (width - len(row)) for row in rows])
    marks = torch.tensor([[e for _, e in row] + [True] * (width - len(row)) for row in rows])
    states = expand_tokens(ids, marks, k, PAD)
    for b, row in enumerate(rows):
        wanted = []
        for p, (token, expanded) in enumerate(row):
            wanted += [(token, p, s) for s in range(1, k + 1)] if expanded else [(token, p, 0)]
        found = list(
            zip(
                states.input_ids[b].tolist(),
                states.token_index[b].tolist(),
                states.state_index[b].tolist(),
                strict=True,
            )
        )
        assert int(states.length[b]) == len(wanted)
        assert found[: len(wanted)] == wanted
        assert all(token == PAD and s == 0 for token, _, s in found[len(wanted) :])
        assert states.padding[b].tolist() == [q >= len(wanted) for q in range(len(found))]
        places = [q for q, (_, _, s) in enumerate(wanted) if s]
        assert int(states.state_length[b]) == len(places)
        assert states.state_positions[b, : len(places)].tolist() == places
        assert states.state_mask[b].tolist() == [q < len(places) for q in range(states.state_positions.shape[1])]
    taken = states.gather_states(states.token_index[..., None].float())
    assert taken.shape == (*states.state_positions.shape, 1)


def test_no_row_depends_on_the_others() -> None:
    ids = torch.tensor([[0, 7, 2, PAD, PAD], [0, 5, 6, 7, 2]])
    marks = (ids == 0) | (ids == 2)
    both, alone = expand_tokens(ids, marks, 3, PAD), expand_tokens(ids[:1, :3], marks[:1, :3], 3, PAD)
    length = int(alone.length[0])
    assert torch.equal(both.input_ids[0, :length], alone.input_ids[0])
    assert torch.equal(both.state_positions[0, : int(alone.state_length[0])], alone.state_positions[0])
