"""What may happen in the worker process. It imports little, because the worker has to import it too."""

import os
import signal


def boom(text: str) -> str | int:
    """Give the text back, or fail in the way that it names."""
    if text == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if text == "memory":
        raise MemoryError
    if text == "odd":
        raise RuntimeError("Invariant Violation\nmore")
    if text == "much":
        return len(bytearray(8 * 2**30))
    return text
