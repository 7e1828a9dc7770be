"""The command line of ExLM-chem: one file per command, each a thin shell over one function of the package."""
