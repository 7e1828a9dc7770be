"""Stages: each adds columns to a prediction. A new one is a file here and a line in `registry`."""
