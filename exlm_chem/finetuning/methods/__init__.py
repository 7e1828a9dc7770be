"""Ways of training a predictor: a new one is a file here and a line in `registry`."""
