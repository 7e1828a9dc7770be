"""Files as people have them, and what is right for each: which molecule's number stands in a row, and what is told.

The files lie in ``tests/data/field_cases`` or are written here. The kinds are those of reports on tools like this one:
most of these files were once read without a word and wrongly.
"""

from dataclasses import dataclass

ETHANOL, BENZENE = "CCO", "c1ccccc1"
ASPIRIN, CAFFEINE = "CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"
BLOCK = """{name}
     RDKit          2D

  3  2  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    1.2990    0.7500    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    2.5981   -0.0000    0.0000 O   0  0  0  0  0  0  0  0  0  0  0  0
  1  2  1  0
  2  3  1  0
M  END
"""
"""Ethanol, as RDKit writes it."""


@dataclass(frozen=True)
class Case:
    """A file that is predicted.

    Attributes
    ----------
    kind : str
        Of the fault, and which of its cases.
    name : str
        Of the file: one in ``tests/data/field_cases``, unless it has a text.
    rows : tuple of str
        For every row, ``=`` and the molecule whose number is right, or a part of the reason why there is none.
    columns : tuple of str
        The names of the columns, without those of the prediction.
    cells : dict
        Columns with their cells, where these are in question.
    told : str
        A part of what is said on stderr besides the summary; empty if nothing else may be said.
    refused : str
        A part of the sentence, if the file is refused.
    text : str or bytes
        The content, of a file that is written for the test.
    options : tuple of str
        Further flags.
    """

    kind: str
    name: str
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    cells: dict[str, list[str]] | None = None
    told: str = ""
    refused: str = ""
    text: str | bytes = b""
    options: tuple[str, ...] = ()


def sdf(*records: str) -> str:
    """Make an SDF of ethanol with some data items each."""
    return "".join(BLOCK.format(name=f"m{number}") + items + "$$$$\n" for number, items in enumerate(records, 1))


def table(header: str, *rows: str) -> str:
    """Make a file of lines."""
    return "".join(f"{line}\n" for line in (header, *rows))


SDF = [
    Case("separator lines of one blank", "01_separator_with_blank.sdf", (f"={ETHANOL}", f"={BENZENE}"),
         ("smiles", "name", "REGID", "COMMENT", "pIC50"), {"COMMENT": ["Natural Product", "Synthetic"]}),
    Case("an item without a name", "02_empty_property_name.sdf", (f"={ETHANOL}", f"={BENZENE}"),
         ("smiles", "name", "first", "unnamed", "third"), {"unnamed": ["2", "3"]}),
    Case("values that begin with >", "03_qualifiers.sdf", (f"={ETHANOL}", f"={BENZENE}", "=Oc1ccccc1"),
         ("smiles", "name", "Compound", "IC50_uM", "Batch"), {"IC50_uM": [">30", "0.5", "> 99"]}),
    Case("a blank line in the block", "05_blank_before_end.sdf",
         ("unreadable molecule block: a blank line inside of the block (line 10)", f"={BENZENE}"),
         ("smiles", "name", "id"), {"id": ["1", "2"]}),
    Case("items called like our columns", "08_property_smiles.sdf", (f"={ETHANOL}", f"={BENZENE}"),
         ("smiles", "sdf_name", "SMILES", "name", "id", "id_2"), {"id_2": ["one", ""], "name": ["ethanol", "benzene"]}),
    Case("tabs and blanks between items", "a.sdf", (f"={ETHANOL}", f"={ETHANOL}"), ("smiles", "name", "A", "B"),
         {"A": ["1", "3"], "B": ["2", ""]}, text=sdf("> <A>\n1\n\t\n> <B>\n2\n \t \n", "> <A>\n3\n\n")),
    Case("line ends of Windows", "a.sdf", (f"={ETHANOL}",), ("smiles", "name", "A", "B"), {"A": ["1"], "B": ["2"]},
         text=sdf("> <A>\n1\n\n> <B>\n2\n\n").replace("\n", "\r\n")),
    Case("a value that looks like a header", "a.sdf", (f"={ETHANOL}",), ("smiles", "name", "A", "B"),
         {"A": ["> <no header>"], "B": ["<B>\n>x<"]}, text=sdf("> <A>\n> <no header>\n\n> <B>\n<B>\n>x<\n\n")),
    Case("a value of several lines, some empty", "a.sdf", (f"={ETHANOL}",), ("smiles", "name", "A", "B"),
         {"A": ["1\n\n3\n\n\n6"], "B": ["x"]}, text=sdf("> <A>\n1\n\n3\n\n\n6\n\n> <B>\nx\n\n")),
    Case("names with brackets and numbers", "a.sdf", (f"={ETHANOL}",),
         ("smiles", "name", "A<b>c", "pIC50 (>10)", " A ", "DT17"), {"DT17": ["9"]},
         text=sdf(">  <A<b>c>  (1)\n1\n\n> 25 <pIC50 (>10)> (3)\n2\n\n> < A >\n4\n\n> DT17\n9\n\n")),
    Case("no blank line between items", "a.sdf", (f"={ETHANOL}",), ("smiles", "name", "A"), {"A": ["1\n> <B>\n2"]},
         told="line 13: '> <B>' belongs to the item before it", text=sdf("> <A>\n1\n> <B>\n2\n")),
    Case("text that belongs to nothing", "a.sdf",
         ("text that belongs to no data item: 'stray' in line 11, 'more' in line 12",), ("smiles", "name", "A"),
         {"A": ["1"]}, text=sdf("stray\nmore\n\n> <A>\n1\n\n")),
    Case("the same name again and again", "a.sdf", (f"={ETHANOL}",), ("smiles", "name", "A", "A_2_2", "A_2"),
         {"A": ["1"], "A_2_2": ["2"], "A_2": ["4"]}, text=sdf("> <A>\n1\n\n> <A>\n2\n\n> <A_2>\n4\n\n")),
]  # fmt: skip

COLUMNS = [
    Case("codes beside SMILES", "27_ligand_codes.csv", (f"={ASPIRIN}", f"={CAFFEINE}",
         "=Nc1ncnc2n(cnc12)C1OC(CO)C(O)C1O", "=c1ccccc1O"),
         ("pdb", "ligand", "ligand_smiles", "pKd"), told="from column 'ligand_smiles'"),
    Case("names that are molecules too", "a.csv", (f"={ETHANOL}", f"={BENZENE}"), ("molecule", "canonical_smiles"),
         told="from column 'canonical_smiles'", text=table("molecule,canonical_smiles", "CO,CCO", "NO,c1ccccc1")),
    Case("nothing but codes", "a.csv", refused="has no column named smiles; its columns are: 'pdb', 'ligand'; choose",
         text=table("pdb,ligand", "1a,NCO", "1b,CCN", "1c,COC")),
    Case("two columns of SMILES", "a.csv", refused="in any of the columns 'smiles_1', 'smiles_2'; choose one with --sm",
         text=table("smiles_1,smiles_2", "CCO,CCN", "CCC,CCCl")),
    Case("a weak name", "a.csv", (f"={ETHANOL}", f"={BENZENE}"), ("Drug_ID", "Drug"), told="from column 'Drug'",
         text=table("Drug_ID,Drug", "1,CCO", "2,c1ccccc1")),
    Case("identifiers of SMILES", "a.csv", (f"={ETHANOL}", f"={BENZENE}"), ("smiles_id", "structure"),
         told="from column 'structure'", text=table("smiles_id,structure", "S1,CCO", "S2,c1ccccc1")),
    Case("blanks in the name", "33_blank_in_header.csv", columns=("id", " SMILES ", " logS ")),
    Case("a line break in a name", "33b_newline_in_header.csv", columns=("id", "SMILES", "Solubility\n(log mol/L)")),
]  # fmt: skip

SEPARATORS = [
    Case("sep= of Excel", "24_sep_line.csv", (f"={ETHANOL}", f"={BENZENE}"), ("id", "smiles", "logS")),
    Case("a comma in the header", "25_comma_in_header.csv", (f"={ETHANOL}", f"={BENZENE}", "=CCN"),
         ("ID", "SMILES", "Solubility, log(mol/L)"), {"Solubility, log(mol/L)": ["0,8", "-1,6", "0,9"]},
         told="cells are separated by semicolons"),
    Case("sep= and tabs", "a.csv", (f"={ETHANOL}",), ("id", "smiles"), text="sep=\t\nid\tsmiles\n1\tCCO\n"),
    Case("sep= and blanks", "a.csv", (f"={ETHANOL}",), ("id", "smiles"), text="sep= \nid smiles\n1 CCO\n"),
    Case("sep= that is wrong", "a.csv", refused="separated by commas; correct its first line",
         text="sep=;\nid,smiles\n1,CCO\n"),
    Case("vertical bars", "a.csv", (f"={ETHANOL}",), ("id", "smiles"), told="vertical bars", text="id|smiles\n1|CCO\n"),
    Case("tabs, and commas in cells", "a.csv", (f"={ETHANOL}",), ("name, source", "smiles", "value, mM"),
         {"value, mM": ["0,5"]}, told="tabs", text="name, source\tsmiles\tvalue, mM\na, b\tCCO\t0,5\n"),
    Case("extensions between bars", "a.csv", (f"={ETHANOL}", "=CCN"), ("smiles", "id"),
         text="smiles,id\nCCO |$R1;;$|,1\nCCN |r|,2\n"),
    Case("blanks", "a.csv", refused="separated by blanks; save it with commas", text="id  smiles\n1  CCO\n2  CCN\n"),
    Case("carets", "a.csv", refused="separated by carets; save it with commas", text="id^smiles\n1^CCO\n2^CCN\n"),
    Case("the last cells are missing", "23_excel_short_rows.csv",
         (f"={ETHANOL}", "=CCCCCC", "=OCCO", f"={BENZENE}", "=CCN"), ("id", "smiles", "logS", "comment"),
         {"logS": ["0.8", "-3.8", "1.0", "-1.6", "0.9"], "comment": ["ok", "", "", "", "ok"]}),
    Case("the needed cell is missing", "a.csv", (f"={ETHANOL}", "wrong number of cells: 1 in line 3, 2 in the header"),
         ("id", "smiles"), text=table("id,smiles", "1,CCO", "2")),
    Case("more cells than columns", "a.csv", ("without a column: 'x'", "=CCN"), ("id", "smiles"),
         text=table("id,smiles", "1,CCO,x", "2,CCN,,")),
]  # fmt: skip

CELLS = [
    Case("blanks and line breaks", "14_blanks_inside.csv",
         ("=OC[C@H]1O[C@@H](Oc2c[nH]c3ccccc23)[C@H](O)[C@@H](O)[C@@H]1O", "blank at position 34",
          "blank at position 7", "line break at position 5", "blank at position 3"), ("name", "smiles")),
    Case("names behind SMILES", "a.csv", (f"={ETHANOL}", f"={ETHANOL}", "blank at position 3", "blank at position 3"),
         ("smiles",), text=table("smiles", "CCO ethanol", "CCO CHEMBL545", "CCO CCN", "CCO . CCN")),
    Case("blanks of other kinds", "a.csv", ("blank at position 3", f"={ETHANOL}", f"={ETHANOL}"), ("smiles",),
         text=table("smiles", "CCO\u00a0CCN", "CCO\u00a0", "\u00a0CCO")),
    Case("names in a file of SMILES", "a.smi", (f"={ETHANOL}", "=CC(=O)O"), ("smiles", "name"),
         {"name": ["ethanol", "c1ccccc1"]}, text="CCO ethanol\nCC(=O)O c1ccccc1\n"),
    Case("atom maps", "13_atom_maps.csv", (*[f"={ASPIRIN}"] * 3, *[f"={CAFFEINE}"] * 3,
         *["=CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O", "=CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O"], "=CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O",
         *[f"={ETHANOL}"] * 3, *["=CCCCCC"] * 3, *["=NCc1ccccc1"] * 3), ("name", "smiles")),
    Case("one molecule in several texts", "11_same_molecule.csv",
         (*["=O=C(c1ccccc1C(=O)N1C(=O)c2ccccc2C1=O)N1C(=O)c2ccccc2C1=O"] * 3,
          *["=[H]/N=C(C=C)\\C(/N=C\\[O-])=N\\[H]"] * 3),
         ("id", "smiles")),
    Case("the same molecules in an SDF", "11_same_molecule.sdf",
         ("=O=C(c1ccccc1C(=O)N1C(=O)c2ccccc2C1=O)N1C(=O)c2ccccc2C1=O", "=[H]/N=C(C=C)\\C(/N=C\\[O-])=N\\[H]"),
         ("smiles", "name")),
]  # fmt: skip

HEADERS = [
    Case("lines before the header", "28_preamble.csv", refused="line 3 does; give --header-line 3 to begin there"),
    Case("no header", "29_no_header.csv", refused="with the molecule 'CCO'; give --header-line 0"),
    Case("no header, and the option", "29_no_header.csv", columns=("smiles", "column_2"),
         options=("--header-line", "0")),
    Case("a header far below", "a.csv", refused="give --header-line 91",
         text=table("x,y", *["a,"] * 89, "smiles,id", "C,1")),
    Case("a title that says SMILES", "a.csv", refused="line 3 does; give --header-line 3",
         text=table("Export, project SMILES", "", "id,structure,y", "1,CCO,2", "2,CCN,3")),
    Case("no header, and a broken molecule first", "a.csv", refused="with a broken SMILES, 'C1CC'; give",
         text=table("C1CC,1", "CCN,2", "c1ccccc1,4")),
    Case("no header, and a molecule named as the column", "a.csv", refused="'C1CC' in line 1 is a molecule and no name",
         text=table("C1CC,1", "CCN,2", "c1ccccc1,4"), options=("--smiles-column", "C1CC")),
    Case("numbers as names", "a.csv", refused="try --smiles-column '0'", text=table("0,1", "CCO,2", "CCN,3")),
    Case("numbers as names, and the option", "a.csv", (f"={ETHANOL}", "=CCN"), ("0", "1"),
         text=table("0,1", "CCO,2", "CCN,3"), options=("--smiles-column", "0")),
]  # fmt: skip

NOTATIONS = [
    Case("SELFIES", "15_selfies.csv", ("this is SELFIES",) * 7, ("name", "selfies", "smiles")),
    Case("InChI", "16_inchi.csv", (*["this is an InChI, and"] * 6, "this is an InChIKey"), ("name", "structure"),
         told="from column 'structure'"),
    Case("InChI, converted", "16_inchi.csv", (f"={ASPIRIN}", f"={CAFFEINE}", "=CC(C)Cc1ccc([C@@H](C)C(=O)O)cc1",
         f"={ETHANOL}", "=CCCCCC", "=NCc1ccccc1", "this is an InChIKey"), ("name", "structure"),
         told="from column 'structure'", options=("--convert",)),
    Case("SMILES that look like SELFIES", "a.csv", ("=[#6]", "=[13CH4]", "=[NH4+]", "=[H][H]", "=[Na+].[Cl-]"),
         ("smiles",), text=table("smiles", "[#6]", "[13CH4]", "[NH4+]", "[H][H]", "[Na+].[Cl-]")),
    Case("a molecule block in a cell", "a.csv", ("this is a mol block", "=CCN"), ("smiles",),
         text=f'smiles\n"{BLOCK}"\nCCN\n'),
    Case("a molecule block in a cell, converted", "a.csv", (f"={ETHANOL}", "=CCN"), ("smiles",),
         text=f'smiles\n"{BLOCK}"\nCCN\n', options=("--convert",)),
    Case("JSON Lines", "47_lines.jsonl", (f"={ETHANOL}", "=CCN"), ("smiles", "y"), {"y": ["1", "2"]}),
    Case("JSON Lines under another name", "a.txt", (f"={ETHANOL}", "no JSON object in this line"), ("smiles",),
         text='{"smiles": "CCO"}\n[1]\n'),
    Case("a JSON document", "a.json", refused="is a JSON document; write one object per line",
         text='[{"smiles": "CCO"}]'),
    Case("GBK", "53a_gbk.csv", (f"={ASPIRIN}", f"={ETHANOL}"), ("名称", "SMILES"), options=("--encoding", "gbk")),
    Case("MacRoman", "a.csv", (f"={ETHANOL}",), ("nom", "SMILES"), {"nom": ["\udc8ethanol"]},
         told="line 2: not UTF-8; such bytes are kept", text="nom,SMILES\néthanol,CCO\n".encode("mac_roman")),
    Case("UTF-16 with Chinese names", "a.csv", (f"={ETHANOL}",), ("名称", "SMILES"),
         options=("--encoding", "utf-16-le"), text="名称,SMILES\n乙醇,CCO\n".encode("utf-16-le")),
    Case("UTF-16 that is not told", "a.csv", refused="no text file in UTF-8, since it holds zero bytes",
         text="名称,SMILES\n乙醇,CCO\n".encode("utf-16-le")),
]  # fmt: skip

CASES = [*SDF, *COLUMNS, *SEPARATORS, *CELLS, *HEADERS, *NOTATIONS]


@dataclass(frozen=True)
class LabelCase:
    """A table that is learnt from.

    Attributes
    ----------
    name : str
        A file in ``tests/data/field_cases``.
    target : str
        The column of labels, as a user writes it.
    decided : str
        A part of what is said that the labels were taken for.
    refused : str
        A part of the sentence, if nothing can be learnt from it.
    options : tuple of str
        Further flags.
    """

    name: str
    target: str
    decided: str = ""
    refused: str = ""
    options: tuple[str, ...] = ()


LABELS = [
    LabelCase("30a_decimal_comma.csv", "logS", "taken as measurements; '1,05' is read as 1.05"),
    LabelCase("32a_excel_na.csv", "logS", "not known: '#N/A' (2 cells)"),
    LabelCase("33_blank_in_header.csv", "logs", "taken as measurements"),
    LabelCase("33b_newline_in_header.csv", "Solubility (log mol/L)", "taken as measurements"),
    LabelCase("34a_active_inactive.csv", "outcome", "'Active' = 1, 'Inactive' = 0"),
    LabelCase("34e_one_or_dash.csv", "hit", "'1' = 1, '-' = 0"),
    LabelCase("35b_minus_one_missing.csv", "label", refused="'-1' (8 cells) may stand for a label that is not known"),
    LabelCase("35b_minus_one_missing.csv", "label", "not known: '-1' (8 cells)", options=("--unknown", "-1")),
    LabelCase("36_qualifiers.csv", "IC50_uM", "beyond which the truth lies: '>30' (7 cells), '<0.01' (5 cells)"),
    LabelCase("37a_five_rows.csv", "logS", refused="leaves none to learn from: too many share one scaffold"),
    LabelCase("37b_ten_rows.csv", "label", refused="in the training part are 1, so nothing can be learnt; use --split"),
    LabelCase("43b_huge.csv", "k", refused="40 of 40 labels are too large or too small"),
    LabelCase("51_integer_ic50.csv", "IC50_nM", "taken as measurements"),
    LabelCase("52_alkanes.csv", "NHOC", refused="use --split random"),
    # One scaffold for all: every head of the average has to do with folds that cannot be cut by it.
    LabelCase("52_alkanes.csv", "NHOC", "taken as measurements", options=("--split", "random", "--head", "average")),
]
