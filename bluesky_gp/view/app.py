"""The web application of the page: its files, and answers to those who have the token."""

from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from bluesky_gp.recording import JournalError
from bluesky_gp.view.address import Address
from bluesky_gp.view.answers import as_refusal, refusal
from bluesky_gp.view.painting import Painter
from bluesky_gp.view.place import Place
from bluesky_gp.view.questions import Questions

PAGE = Path(__file__).parent / "page"
ELSEWHERE = (
    "This page was opened with the address of an earlier start, or with none: open the address that "
    "'bluesky-gp view' printed last."
)
_SAFE = {
    b"content-security-policy": b"default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
}


def page_app(place: Place, address: Address) -> Starlette:
    """Return the application that shows the runs of a place at an address."""
    painter = Painter(place.followed)
    questions = Questions(place, painter)
    routes = [
        Mount("/api", routes=questions.routes, middleware=[Middleware(WithToken, address=address)]),
        Route("/", questions.page(PAGE / "index.html")),
        Mount("/", StaticFiles(directory=PAGE)),
    ]
    hosts = [address.host, "localhost", "127.0.0.1", "[::1]"] if address.host not in ("0.0.0.0", "::") else ["*"]  # noqa: S104
    guards = [Middleware(TrustedHostMiddleware, allowed_hosts=hosts), Middleware(WithHeaders)]
    errors = dict.fromkeys((HTTPException, ValueError, LookupError, OSError, JournalError), as_refusal)
    app = Starlette(routes=routes, middleware=guards, exception_handlers=errors)
    app.state.painter = painter
    return app


class WithToken:
    """Answers only those who have the token of this start."""

    def __init__(self, app: ASGIApp, address: Address) -> None:
        self._app, self._address = app, address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a question with the token pass."""
        headers = dict(scope.get("headers", ()))
        word, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if word == "Bearer" and self._address.is_mine(token):
            await self._app(scope, receive, send)
        else:
            await refusal(ELSEWHERE, 401)(scope, receive, send)


class WithHeaders:
    """Tells the browser to load nothing from elsewhere and to keep nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to what is answered."""

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_SAFE.items()]
            await send(message)

        await self._app(scope, receive, sending)
