"""Tables of measured molecules: the public ones, and what is in one that somebody has."""
