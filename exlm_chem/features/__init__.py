"""A molecule as numbers: blocks that heads, the objectives of pretraining and the peers of the benchmarks share."""
