"""Pretraining: from SMILES files to a model directory."""
