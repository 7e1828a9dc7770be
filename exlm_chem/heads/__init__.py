"""Heads: from features to properties."""
