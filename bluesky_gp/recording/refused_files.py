"""Answers of a server about files of detectors that it cannot read.

Tiled answers a bare 500, which its clients ask for again for 45 s; here the reason is told at once.
"""

from typing import TYPE_CHECKING

from bluesky_gp.recording.detector_files import OUTSIDE, REFUSED

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

__all__ = ["tell_reasons"]


def tell_reasons(app: "FastAPI") -> None:
    """Have a Tiled server say why it cannot read a file."""
    for kind in (RuntimeError, ImportError, OSError):
        app.add_exception_handler(kind, _answer)


async def _answer(request: "Request", error: Exception) -> "Response":
    from fastapi.responses import JSONResponse

    if isinstance(error, RuntimeError) and OUTSIDE not in str(error):
        raise error
    return JSONResponse(status_code=REFUSED, content={"detail": f"{type(error).__name__}: {error}"})
