"""Interruption: Ctrl-C and SIGTERM ask a run to stop after its step, instead of ending it in the middle of one."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Notes, while it is entered, that a signal asked to stop; the handlers of before come back afterwards.

    Attributes
    ----------
    asked : bool
        Whether a signal came.
    name : str
        Which; empty without one.

    Examples
    --------
    >>> with StopRequest() as stop:
    ...     signal.raise_signal(signal.SIGINT)
    ...     stop.asked, stop.name
    (True, 'SIGINT')
    """

    def __init__(self) -> None:
        self.asked = False
        self.name = ""
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            try:
                self._handlers[number] = signal.signal(number, self._note)
            except ValueError:  # not in the main thread, where Python takes no signals
                break
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.asked, self.name = True, signal.Signals(number).name
