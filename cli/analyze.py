"""``exlm-chem analyze``: the function of each of its commands stands in ``cli/analyze_NAME.py``."""

EXAMPLE = "exlm-chem analyze graph 'c1ccc([MASK])cc1' -o graph.svg"

COMMANDS = {
    "graph": "Draw the states of masks and the best paths.",
    "semantics": "Tell lost meaning from unreal tokens, by small models.",
    "multimodality": "Count the answers of masks, and how often they agree.",
    "ablation": "Tell what each part of the model is worth, by small runs.",
}
"""Every command and its line in ``exlm-chem analyze --help``."""


def analyze() -> None:
    """Look into a model: what its states, masks and paths do."""
