"""What all tests share."""

import os

# Small tensors gain nothing from several threads, and `pytest -n` runs several tests at once.
os.environ.setdefault("OMP_NUM_THREADS", "1")
