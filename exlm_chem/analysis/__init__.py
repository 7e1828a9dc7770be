"""What the paper claims of masked language models, measured and drawn."""
