"""Predictors: what a task is, and an encoder with its head as a directory."""
