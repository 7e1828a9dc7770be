"""SMILES to ids and back, in all schemes, and the same through Hugging Face."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from rdkit import Chem

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.grammar import SmilesSyntaxError
from exlm_chem.smiles.selfies import SelfiesError
from exlm_chem.terms import Scheme
from exlm_chem.tokenizer import ExLMTokenizer

DATA = Path(__file__).parent.parent / "data"
EXAMPLES = [
    line.split(" ")[0]
    for name in ("opensmiles.smi", "rdkit.smi")
    for line in (DATA / name).read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)N[C@@H](Cc1c[nH]c2ccccc12)C(=O)O",
    "C/C=C/C(=O)N/N=C\\c1ccccc1",
    "[O-][N+](=O)c1ccc(Cl)c(Br)c1.[Na+]",
    "[2H]C([2H])([2H])[18O]c1cccs1",
    "C[Si@@](F)(Cl)Br",
    "[223Ra+2].[Cl-].[Cl-]",
]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_ids_are_laid_out_as_models_expect(scheme: Scheme) -> None:
    tokenizer = ExLMTokenizer(scheme)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    assert [tokenizer.vocab[token] for token in special] == [0, 1, 2, 3, tokenizer.vocab_size - 1]
    assert tokenizer.special_ids == {0, 1, 2, 3, tokenizer.mask_id}
    assert sorted(tokenizer.vocab.values()) == list(range(tokenizer.vocab_size))


@pytest.mark.parametrize(
    ("scheme", "fingerprint"),
    [
        ("lossless", "9add3bf460e8db38324399a4d8ec78737da53a1c0e471f5a7f74ff07d578e43b"),
        ("atomwise", "24d89b98352e7c0b9d05a1bcf6b3653569091d7b0995217b9e1832cf70702d96"),
        ("selfies", "a65224f414026b76c9c8af083591b081048143dedd3adadb5174a69d9552d5aa"),
    ],
)
def test_the_vocabulary_never_changes(scheme: Scheme, fingerprint: str) -> None:
    # every saved model relies on it; a new vocabulary has to be a new scheme
    assert ExLMTokenizer(scheme).fingerprint == fingerprint


@pytest.mark.parametrize("smiles", EXAMPLES)
def test_lossless_gives_the_string_back(smiles: str) -> None:
    tokenizer = ExLMTokenizer()
    ids = tokenizer.encode(smiles)
    assert tokenizer.unk_id not in ids
    assert (ids[0], ids[-1]) == (tokenizer.bos_id, tokenizer.eos_id)
    assert ids[1:-1] == tokenizer.encode(smiles, add_special_tokens=False)
    assert tokenizer.decode([*ids, tokenizer.pad_id]) == smiles


@pytest.mark.parametrize("scheme", ["lossless", "selfies"])
def test_what_is_no_smiles_is_refused_with_its_position(scheme: Scheme) -> None:
    with pytest.raises(SmilesSyntaxError) as info:
        ExLMTokenizer(scheme).encode("CC?C")
    assert info.value.position == 2


def test_atomwise_calls_what_it_does_not_know_unknown_and_drops_nothing() -> None:
    tokenizer = ExLMTokenizer("atomwise")
    tokens = tokenizer.tokenize("[13CH3]C<-[nH]é\n")
    assert tokens == ["[13CH3]", "C", "<", "-", "[nH]", "é", "\n"]
    ids = tokenizer.encode("[13CH3]C<-[nH]é\n", add_special_tokens=False)
    assert [index == tokenizer.unk_id for index in ids] == [True, False, True, False, False, True, True]
    assert tokenizer.decode(ids) == "<unk>C<unk>-[nH]<unk><unk>"


@pytest.mark.parametrize("smiles", EXAMPLES)
def test_atomwise_tokens_join_to_the_string(smiles: str) -> None:
    assert "".join(ExLMTokenizer("atomwise").tokenize(smiles)) == smiles


@pytest.mark.parametrize("smiles", DRUGS)
def test_selfies_gives_the_molecule_back(smiles: str) -> None:
    tokenizer = ExLMTokenizer("selfies")
    ids = tokenizer.encode(smiles)
    assert tokenizer.unk_id not in ids
    assert Chem.CanonSmiles(tokenizer.decode(ids)) == Chem.CanonSmiles(smiles)


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("[CH3:1]C", "atom classes"),
        ("*C", "an atom or bond that SELFIES does not know"),
        ("C[Pt]<-N", "an atom or bond that SELFIES does not know"),
        ("C[IH2]C", r"\[IH2\] with 2 bond\(s\)"),
    ],
)
def test_what_selfies_cannot_say_is_refused(smiles: str, reason: str) -> None:
    with pytest.raises(SelfiesError, match=reason):
        ExLMTokenizer("selfies").encode(smiles)


def test_decode_shows_special_tokens_on_request_and_unknown_ones_always() -> None:
    tokenizer = ExLMTokenizer()
    ids = [0, tokenizer.vocab["C"], tokenizer.unk_id, tokenizer.mask_id, 2, 1]
    assert tokenizer.decode(ids) == "C<unk>"
    assert tokenizer.decode(ids, skip_special_tokens=False) == "<s>C<unk><mask></s><pad>"
    assert tokenizer.decode(np.array(ids)) == "C<unk>"


def test_pad_makes_one_array() -> None:
    tokenizer = ExLMTokenizer()
    array = tokenizer.pad([tokenizer.encode("CCO"), tokenizer.encode("C")])
    assert array.dtype == np.int64
    assert array.tolist() == [tokenizer.encode("CCO"), [*tokenizer.encode("C"), 1, 1]]
    assert tokenizer.pad([]).shape == (0, 0)


def test_a_scheme_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ExLMError, match="unknown scheme 'bpe'; choose one of lossless, atomwise, selfies"):
        ExLMTokenizer("bpe")  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_save_and_load(scheme: Scheme, tmp_path: Path) -> None:
    tokenizer = ExLMTokenizer(scheme)
    tokenizer.save_pretrained(tmp_path / "new" / "model")
    again = ExLMTokenizer.from_pretrained(str(tmp_path / "new" / "model"))
    assert (again.scheme, again.vocab, again.fingerprint) == (scheme, tokenizer.vocab, tokenizer.fingerprint)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no tokenizer in .*: tokenizer_config.json is missing"),
        ("{", "is broken: it is no valid JSON"),
        ("{}", "scheme is missing; copy the directory again"),
        ("[]", "is broken: it holds no JSON object"),
        ('{"scheme": ["lossless"]}', "scheme must be one of lossless, atomwise, selfies, not a list"),
        ('{"scheme": "bpe"}', "scheme must be one of lossless, atomwise, selfies, not 'bpe'"),
        ('{"scheme": "lossless", "fingerprint": "0"}', "fingerprint must be a sha256"),
        (
            f'{{"scheme": "lossless", "fingerprint": "{"0" * 64}"}}',
            "has a lossless vocabulary that is not the one of this version",
        ),
    ],
)
def test_loading_what_is_no_tokenizer_says_so(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "tokenizer_config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ExLMError, match=message):
        ExLMTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_hugging_face_gives_the_same_ids(scheme: Scheme, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    ours = ExLMTokenizer(scheme)
    ours.save_pretrained(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    strings = DRUGS if scheme == "selfies" else [*EXAMPLES, *DRUGS]
    expected = [ours.encode(smiles) for smiles in strings]
    texts = ["".join(ours.tokenize(smiles)) for smiles in strings]  # SELFIES in that scheme, else the string itself
    assert theirs(texts)["input_ids"] == expected
    batch = theirs(texts, padding=True, return_tensors="np")
    assert np.array_equal(batch["input_ids"], ours.pad(expected))
    assert np.array_equal(batch["attention_mask"], ours.pad(expected) != ours.pad_id)
    if scheme != "atomwise":
        assert theirs.batch_decode(expected, skip_special_tokens=True) == texts
    assert len(theirs) == ours.vocab_size
    assert [theirs.bos_token_id, theirs.pad_token_id, theirs.eos_token_id, theirs.unk_token_id] == [0, 1, 2, 3]
    assert theirs.mask_token_id == ours.mask_id
    assert theirs("C<mask>C")["input_ids"][2] == ours.mask_id


def test_hugging_face_marks_unknown_characters(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    ours = ExLMTokenizer()
    ours.save_pretrained(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text in ("CC?C", "CC ", "CCé", "Clx", "[Xy]"):
        assert ours.unk_id in theirs(text)["input_ids"]


def test_the_saved_files_are_plain_json(tmp_path: Path) -> None:
    ExLMTokenizer().save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokenizer.json", "tokenizer_config.json"]
    model = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    assert model["vocab"] == ExLMTokenizer().vocab


def test_import_loads_nothing_heavy() -> None:
    code = (
        "import sys; from exlm_chem.tokenizer import ExLMTokenizer; ExLMTokenizer().encode('CCO');"
        "sys.exit(bool({'torch', 'transformers', 'tokenizers', 'rdkit', 'selfies'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_ids_of_any_kind_become_numbers() -> None:
    torch = pytest.importorskip("torch")
    tokenizer = ExLMTokenizer()
    ids = tokenizer.encode("CCO")
    for other in (torch.tensor(ids), np.array(ids), np.array(ids, np.uint16), list(map(np.int64, ids)), iter(ids)):
        assert tokenizer.decode(other) == "CCO"
    assert tokenizer.decode(torch.tensor([*ids, tokenizer.pad_id])) == "CCO"


def test_tokenizer_of_a_model_that_ships_by_its_name():
    assert ExLMTokenizer.from_pretrained("exlm-small").encode("CCO") == ExLMTokenizer().encode("CCO")
    assert ExLMTokenizer.from_pretrained("bbbp").scheme == "lossless"  # a predictor: its encoder's
