"""Predictions over HTTP: the predictors are loaded once, and requests that wait together are predicted together.

pip install fastapi uvicorn
EXLM_TASKS=bbbp,esol uvicorn examples.service:app
curl -X POST localhost:8000/predict -H 'content-type: application/json' -d '{"smiles": ["CCO", "no molecule"]}'
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from exlm_chem.predictors.loading import load_predictors
from exlm_chem.predictors.predictor import predict_all

MOST_MOLECULES = 1000
LONGEST = 5000
WAIT_SECONDS = 0.01
"""How long a request waits for others to be predicted with it."""

Smiles = Annotated[str, Field(max_length=LONGEST)]


class Request(BaseModel):
    """Molecules to predict."""

    smiles: Annotated[list[Smiles], Field(max_length=MOST_MOLECULES)]


class Row(BaseModel):
    """What is said of one molecule: a number for each column, or null and the reason."""

    smiles: str
    values: dict[str, float | None]
    error: str | None


class Service:
    """The predictors, and the requests that wait for them.

    Parameters
    ----------
    tasks : list of str
        Names or directories of predictors.
    """

    def __init__(self, tasks: list[str]) -> None:
        self.predictors = load_predictors(tasks)
        self._waiting: asyncio.Queue[tuple[list[str], asyncio.Future[list[Row]]]] = asyncio.Queue()

    async def predict(self, smiles: list[str]) -> list[Row]:
        """Wait for the prediction of some molecules."""
        answer: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        await self._waiting.put((smiles, answer))
        return await answer

    async def work(self) -> None:
        """Predict what waits, one batch after the other, beside the loop that takes requests."""
        while True:
            batch = [await self._waiting.get()]
            await asyncio.sleep(WAIT_SECONDS)
            while not self._waiting.empty() and sum(len(smiles) for smiles, _ in batch) < MOST_MOLECULES:
                batch.append(self._waiting.get_nowait())
            try:
                rows = await asyncio.to_thread(self._rows, [one for smiles, _ in batch for one in smiles])
            except Exception as error:  # noqa: BLE001  (who asked is told; the others go on)
                for _, answer in batch:
                    if not answer.done():  # who asked has gone
                        answer.set_exception(error)
                continue
            for smiles, answer in batch:
                if not answer.done():
                    answer.set_result(rows[: len(smiles)])
                rows = rows[len(smiles) :]

    def _rows(self, smiles: list[str]) -> list[Row]:
        rows = [Row(smiles=one, values={}, error=None) for one in smiles]
        for predictor, prediction in zip(self.predictors, predict_all(self.predictors, smiles), strict=True):
            for row, values, molecule in zip(rows, prediction.values.tolist(), prediction.molecules, strict=True):
                numbers = [None if math.isnan(value) else value for value in values]
                row.values |= dict(zip(predictor.columns, numbers, strict=True))
                row.error = row.error or molecule.error
        return rows


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the predictors before the first request."""
    app.state.service = Service(os.environ.get("EXLM_TASKS", "bbbp").split(","))
    worker = asyncio.create_task(app.state.service.work())
    yield
    worker.cancel()
    with suppress(asyncio.CancelledError):
        await worker


app = FastAPI(title="ExLM-chem", lifespan=lifespan)


@app.exception_handler(RequestValidationError)
async def refuse(_: HttpRequest, error: RequestValidationError) -> JSONResponse:
    """Say what is wrong without repeating the request, which may hold what JSON has no word for (NaN)."""
    return JSONResponse({"detail": [{"loc": one["loc"], "msg": one["msg"]} for one in error.errors()]}, 422)


@app.get("/health")
async def health() -> dict[str, Any]:
    """Say what is loaded."""
    return {"ok": True, "columns": [column for one in app.state.service.predictors for column in one.columns]}


@app.post("/predict")
async def predict(request: Request) -> list[Row]:
    """Predict; a molecule that cannot be read has null and its reason, the others are answered."""
    rows: list[Row] = await app.state.service.predict(request.smiles)
    return rows
