"""From measured molecules to a predictor: tasks, splits, metrics, and two ways of training."""
