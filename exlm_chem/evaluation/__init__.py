"""How good predictions are, which of several methods is better, and whether a language model is worth it."""
