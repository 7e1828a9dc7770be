"""One vector for each token of a molecule, instead of one for all of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.embedder import BATCH_SIZE, ExLM
from exlm_chem.smiles.containers import molecules_in
from exlm_chem.terms import Standardise
from exlm_chem.training.bucketing import length_batches


def token_vectors(
    encoder: ExLM,
    molecules: Any,
    layer: int = -1,
    *,
    standardise: Standardise = "none",
    batch_tokens: int | None = None,
    batch_size: int = BATCH_SIZE,
) -> list[NDArray[np.float32]]:
    """Give the features of all tokens of molecules.

    Parameters
    ----------
    encoder : ExLM
        The encoder; these features are torch's, whatever its backend is.
    molecules, layer, standardise, batch_tokens, batch_size
        See `ExLM.embed`.

    Returns
    -------
    list of float32 arrays of shape (tokens, width)
        One row for each of ``encoder.tokenizer.tokenize(smiles)``, where ``smiles`` is what the encoder reads of the
        molecule: ``encoder.read(molecule).molecule.smiles``. Their mean is the vector of the pooling "mean". No rows
        for a molecule that cannot be read.

    Examples
    --------
    >>> encoder = ExLM.from_pretrained("exlm-small", device="cpu")
    >>> [rows.shape for rows in token_vectors(encoder, ["OCC", "c1ccccc1", "no molecule"])]
    [(3, 256), (8, 256), (0, 256)]
    """
    encoder.check_layer(layer)
    token_ids = [one.token_ids for one in encoder.read_all(molecules_in(molecules), standardise)]
    vectors = [np.empty((max(0, len(ids) - 2), encoder.width), np.float32) for ids in token_ids]
    good = [index for index, ids in enumerate(token_ids) if ids]
    for batch in length_batches(
        [len(token_ids[index]) for index in good], batch_tokens or encoder.backend.batch_tokens, batch_size
    ):
        rows = [good[place] for place in batch]
        features = encoder.backend.encode_tokens(encoder.tokenizer.pad([token_ids[row] for row in rows]), layer)
        for row, found in zip(rows, features, strict=True):
            vectors[row][:] = found[1 : 1 + len(vectors[row])]  # <s> stands before them, </s> behind
    return vectors
