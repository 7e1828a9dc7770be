"""Where the rows of a file are answered: in this process, or by workers beside it."""
