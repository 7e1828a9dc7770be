"""Training: what pretraining and fine-tuning share."""
