"""Pretraining: from SMILES files to a model directory."""

import os

# Two libraries below torch read these when they are loaded; what a user has set stays.
# OpenMP: idle threads sleep instead of spinning, or two programs on one machine would block each other.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# oneDNN: every batch has another shape, and a compiled kernel for each of the last thousand would take gigabytes.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
