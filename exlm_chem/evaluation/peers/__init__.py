"""What a benchmark compares: kinds of features, ours and those of others, one file for each of another program."""
