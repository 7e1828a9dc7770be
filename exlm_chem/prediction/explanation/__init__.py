"""Which atoms a prediction comes from, by two opinions behind one interface, and their picture."""
