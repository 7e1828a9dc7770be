"""What all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Small tensors gain nothing from several threads, and `pytest -n` runs several tests at once.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Continuous integration judges a change, not its luck: there the examples are the same every time.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Prepared corpora go to a folder of the tests, also those of the subprocesses that they start."""
    os.environ["EXLM_CHEM_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights, for everything that needs a model and not a good one."""
    import torch

    from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
    from exlm_chem.tokenizer import ExLMTokenizer

    directory = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = ExLMTokenizer()
    config = ExLMConfig(
        vocab_size=tokenizer.vocab_size,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_positions=256,
        initializer_range=0.2,  # wide, so that random vectors differ between molecules
        mask_token_id=tokenizer.mask_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = ExLMForMaskedLM(config)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def word_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``tokenizer.json`` of Hugging Face that knows a few words, its special tokens at the end of the vocabulary."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = "the cat dog sat ran on mat a [CLS] [SEP] [PAD] [UNK] [MASK]".split()
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token=words[11]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(words[8:])
    path = tmp_path_factory.mktemp("words") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture(scope="session")
def tiny_predictors(tiny_model: Path) -> Path:
    """A folder with the predictors ``pass`` (one class), ``sol`` (two numbers) and ``salt`` (desalts), random ones.

    All share one encoder, which lies in ``salt``.
    """
    import torch

    from exlm_chem.embedding.embedder import ExLM
    from exlm_chem.heads.layer import LayerHead
    from exlm_chem.heads.property_head import PropertyHead
    from exlm_chem.predictors.directory import write_predictor
    from exlm_chem.predictors.task import OutputColumn
    from exlm_chem.predictors.task_file import PredictorTask

    folder = tiny_model.parent
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = PropertyHead(64, 1)
        two = LayerHead.of(PropertyHead(64, 2, hidden=8), "regression")
    solubility = (OutputColumn("sol", "s", unit="log10(mol/L)"), OutputColumn("logd", "d", unit="logD"))
    passing = PredictorTask("pass", "classification", (OutputColumn("pass", "p"),))
    salt = PredictorTask("salt", "regression", (OutputColumn("pass", "p"),), standardise="parent")
    write_predictor(
        folder / "salt", salt, LayerHead.of(layer, "regression"), ExLM.from_pretrained(tiny_model, device="cpu")
    )
    write_predictor(folder / "pass", passing, LayerHead.of(layer, "classification"), folder / "salt")
    write_predictor(folder / "sol", PredictorTask("sol", "regression", solubility), two, folder / "salt")
    return folder
