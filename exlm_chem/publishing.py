"""A model put on the Hugging Face Hub: which files those are, what is wrong with them, and the upload."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from exlm_chem.embedding.axes import AXES_NAME
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.locations import encoder_directory, is_predictor, locate
from exlm_chem.model_directory import check, open_model
from exlm_chem.predictors import directory as predictors
from exlm_chem.predictors.task_file import read_task, write_task
from exlm_chem.sentence_files import write_sentence_files
from exlm_chem.storage import write_text
from exlm_chem.terms import Reads

CARD_NAME: Final = "README.md"
TAGS: Final[dict[Reads, str]] = {"molecule": "chemistry, smiles, exlm", "text": "text, exlm"}
"""What the Hub finds a model by, after what it reads."""

_HEAD: Final = re.compile(r"---\n.*?\n---\n", re.DOTALL)
_LICENCE: Final = re.compile(r"^license: *\S", re.MULTILINE)


@dataclass(frozen=True)
class Upload:
    """What an upload consists of.

    Attributes
    ----------
    repository : str
        Where it goes.
    files : dict of str to int
        Names and their bytes.
    problems : tuple of str
        What is missing, each as a sentence; nothing is uploaded as long as there is any.
    """

    repository: str
    files: dict[str, int]
    problems: tuple[str, ...]


def publish(name_or_directory: str | Path, repository: str, licence: str = "", *, dry_run: bool = False) -> Upload:
    """Upload a model: its checked files and its card, and what other programs read it by.

    Parameters
    ----------
    name_or_directory : str or Path
        A model that ships, a model directory, or a predictor, which takes its encoder along.
    repository : str
        As ``owner/name``; made if there is none, public.
    licence : str
        Of the weights, as the Hub writes it (``mit``, ``cc-by-4.0``), for a card that names none.
    dry_run : bool
        Do all but the upload; nothing is asked over the network.

    Returns
    -------
    Upload

    Raises
    ------
    ExLMError
        If a file is missing or broken, if there are problems and it is no dry run, or if the Hub refuses.

    Examples
    --------
    >>> upload = publish("exlm-small", "me/exlm-small", dry_run=True)
    >>> "model.safetensors" in upload.files, len(upload.problems)
    (True, 1)
    >>> publish("exlm-small", "me/exlm-small", licence="mit", dry_run=True).problems
    ()
    """
    if re.fullmatch(r"[\w.-]{1,96}/[\w.-]{1,96}", repository) is None:
        raise ExLMError(f"{quoted(repository)} is no repository of the Hub; write owner/name")
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder)
        problems = tuple(_stage(locate(name_or_directory), staged, licence))
        files = {path.name: path.stat().st_size for path in sorted(staged.iterdir())}
        if not dry_run:
            if problems:
                raise ExLMError(f"nothing was uploaded: {problems[0]}")
            _send(staged, repository)
    return Upload(repository, files, problems)


def _stage(directory: Path, staged: Path, licence: str) -> list[str]:
    """Lay the files out as they shall be in the repository, and say what is missing."""
    paths = predictors.check(directory) if is_predictor(directory) else check(directory)
    axes = encoder_directory(directory) / AXES_NAME
    if axes.is_file():
        paths.append(axes)
    for path in paths:
        shutil.copyfile(path, staged / path.name)
    if is_predictor(directory):
        task = read_task(directory)
        if encoder_directory(directory) != directory.resolve():  # it lies next door: here both lie together
            write_task(staged, replace(task, encoder=replace(task.encoder, path=".")))
    found = open_model(staged)
    found.tokenizer.save_pretrained(staged, found.saved.config.max_tokens)
    write_sentence_files(staged)
    card = directory / CARD_NAME
    if not card.is_file():
        return [f"{card} is missing; write there what the model was trained on and what it is not for"]
    text = _with_head(card.read_text(encoding="utf-8"), licence, TAGS[found.tokenizer.reads])
    write_text(staged / CARD_NAME, text)
    if not _names_licence(text):
        return [f"{card} names no licence of the weights; give one, for example --licence mit"]
    return []


def _with_head(card: str, licence: str, tags: str) -> str:
    """Put the lines above a card that the Hub reads, and the licence into them; what is there already stays."""
    given = f"license: {licence}\n" if licence else ""
    if _HEAD.match(card) is None:
        return f"---\n{given}library_name: exlm-chem\ntags: [{tags}]\n---\n\n{card}"
    return card if _names_licence(card) else card.replace("---\n", f"---\n{given}", 1)


def _names_licence(card: str) -> bool:
    head = _HEAD.match(card)
    return head is not None and _LICENCE.search(head[0]) is not None


def _send(folder: Path, repository: str) -> None:
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise ExLMError("models publish needs huggingface_hub; run: pip install 'exlm-chem[hf]'") from None
    try:
        api = HfApi()
        api.create_repo(repository, exist_ok=True)
        api.upload_folder(repo_id=repository, folder_path=folder, commit_message="Upload by ExLM-chem")
    except Exception as error:  # noqa: BLE001  (whose they are depends on the HTTP library of its version)
        reason = str(error).strip().partition("\n")[0]
        raise ExLMError(f"{repository} was not uploaded ({reason}); see its account and token: hf auth login") from None
