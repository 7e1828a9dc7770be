"""One molecule as text: its grammar, its meaning for RDKit, and the files that hold many of them."""
