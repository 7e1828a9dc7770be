"""The weights that ship with the package; `exlm_chem.model_directory` finds and checks them."""
