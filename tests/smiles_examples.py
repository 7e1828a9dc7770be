"""Molecules that tests of several rooms use: known drugs, in *the* text of each."""

from exlm_chem.smiles.molecule import canonical_smiles

DRUGS = [
    canonical_smiles(smiles)
    for smiles in (
        "CC(=O)Oc1ccccc1C(=O)O",  # aspirin
        "CC(C)Cc1ccc(cc1)C(C)C(=O)O",  # ibuprofen
        "Cn1c(=O)c2c(ncn2C)n(C)c1=O",  # caffeine
        "CC(=O)Nc1ccc(O)cc1",  # paracetamol
        "CN(C)CCC=C1c2ccccc2CCc2ccccc21",  # amitriptyline
        "CCN(CC)CCOC(=O)c1ccc(N)cc1",  # procaine
        "OC(=O)c1ccccc1O",  # salicylic acid
        "CN1CCC[C@H]1c1cccnc1",  # nicotine
        "Clc1ccc(cc1)C(c1ccccc1)N1CCN(C)CC1",  # chlorcyclizine
        "CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2O",  # testosterone, without stereo
        "NCCc1ccc(O)c(O)c1",  # dopamine
        "O=C1NC(=O)C(N1)(c1ccccc1)c1ccccc1",  # phenytoin
    )
]
