"""What sentence-transformers needs of a model directory besides the files of Hugging Face."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from exlm_chem.storage import write_json

SENTENCE_FILES: Final[dict[str, Any]] = {
    "modules.json": [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}],
    "sentence_bert_config.json": {
        "transformer_task": "feature-extraction",
        "modality_config": {"text": {"method": "forward", "method_output_name": "pooler_output"}},
        "module_output_name": "sentence_embedding",
    },
}
"""Names and contents: one step, whose ``pooler_output`` is the vector."""


def write_sentence_files(directory: str | Path) -> None:
    """Write them; they are the same for every model.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_sentence_files(folder)
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['modules.json', 'sentence_bert_config.json']
    """
    for name, content in SENTENCE_FILES.items():
        write_json(Path(directory) / name, content)
