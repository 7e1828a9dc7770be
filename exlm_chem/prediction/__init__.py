"""Predictors: directories of encoder, head and task, and the tables they make."""
