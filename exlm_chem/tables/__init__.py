"""Tables: rows of molecules in and out, one record per row, as streams."""
