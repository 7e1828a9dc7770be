"""Processes beside this one: results in order, and an end when something fails."""

import os
import sys
import time

import pytest

from exlm_chem.features.processes import killed_on_failure, processors, start_parts


def test_results_come_in_order_and_a_killed_process_costs_none():
    assert processors() >= 1
    assert start_parts(pow, [2, 3, 4], 2, processes=2)() == [4, 9, 16]
    started = start_parts(_end_if_child, [os.getpid()] * 3, processes=2)
    assert started() == [0, 0, 0]


def test_a_failure_ends_them_at_once():
    began = time.monotonic()
    _fail_beside(99)  # most of them wait for a process
    assert time.monotonic() - began < 300
    assert start_parts(abs, [-1], processes=2)() == [1]


@pytest.mark.parametrize("parts", [1, 2, 3, 4, 5] * 3)
def test_a_failure_while_they_start_leaves_no_thread_failing(parts):
    # Threads that change places often: every third of these ended with a KeyError of loky's own thread.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        _fail_beside(parts)
    finally:
        sys.setswitchinterval(interval)


def _fail_beside(parts):
    with pytest.raises(KeyboardInterrupt), killed_on_failure():  # noqa: PT012
        start_parts(time.sleep, [600] * parts, processes=2)
        raise KeyboardInterrupt


def _end_if_child(parent):
    return 0 if os.getpid() == parent else os._exit(9)
