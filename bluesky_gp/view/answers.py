"""Answers of the server: plain data as JSON, errors as a sentence."""

import json
from collections.abc import Awaitable, Callable, Mapping
from math import isfinite
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Endpoint = Callable[[Request], Awaitable[Response] | Response]


def answer(data: Any, status: int = 200) -> Response:
    """Return JSON in which a number that JSON does not have is null."""
    text = json.dumps(plain(data), allow_nan=False, separators=(",", ":"))
    return Response(text, status, media_type="application/json")


def plain(value: Any) -> Any:
    """Return lists, mappings and finite numbers, as JSON has them."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not isfinite(value) else value


def refusal(sentence: str, status: int) -> Response:
    """Return an error as the page shows it."""
    return JSONResponse({"error": sentence}, status)


async def as_refusal(_: Request, error: Exception) -> Response:
    """Say an error of a question in a sentence: wrong input is the asker's, what is missing is not there."""
    if isinstance(error, HTTPException):
        return refusal(error.detail, error.status_code)
    if isinstance(error, LookupError):
        return refusal(str(error.args[0]) if error.args else "there is no such thing", 404)
    return refusal(str(error), 503 if isinstance(error, OSError) else 400)
