"""What is written to the disk, as a whole or not at all; hashes of files; JSON that never holds NaN."""

from exlm_chem.storage.files import (
    final_target,
    is_special,
    reason_of,
    writable_target,
    write_directory,
    write_file,
    write_text,
)
from exlm_chem.storage.hashes import sha256
from exlm_chem.storage.json_files import json_text, read_json, write_json

__all__ = [
    "final_target",
    "is_special",
    "json_text",
    "read_json",
    "reason_of",
    "sha256",
    "writable_target",
    "write_directory",
    "write_file",
    "write_json",
    "write_text",
]
