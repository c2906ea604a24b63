"""What is closed when a session ends, and before what."""

import asyncio
import threading

import pytest

from bluesky_gp.recording import session_end
from bluesky_gp.recording.session_end import at_session_end, before_its_server


class Ended:
    """What ends with the session, in order; the end itself is calling what is registered, the last first."""

    def __init__(self):
        self.registered, self.order = [], []

    def __call__(self):
        while self.registered:
            self.registered.pop()()
        return self.order


@pytest.fixture
def ended(monkeypatch):
    session = Ended()
    monkeypatch.setattr(session_end, "_closers", [])
    monkeypatch.setattr(threading, "_register_atexit", session.registered.append)
    return session


def test_what_is_opened_last_is_closed_first_and_nothing_twice(ended):
    for name in "ab":
        at_session_end(lambda name=name: ended.order.append(name))
    assert ended() == ["b", "a"]


def test_a_client_is_closed_before_the_server_that_it_was_begun_for_once_it_has_asked_something(ended):
    served = []

    async def server(scope, receive, send):
        served.append(scope["type"])

    at_session_end(lambda: ended.order.append("client"))
    asked = before_its_server(server)
    asyncio.run(asked({"type": "lifespan"}, None, None))
    ended.registered.append(lambda: ended.order.append("server"))
    for _ in range(3):
        asyncio.run(asked({"type": "http"}, None, None))
    assert len(ended.registered) == 3
    assert served == ["lifespan", "http", "http", "http"]
    assert ended() == ["client", "server"]


def test_a_session_that_ends_before_the_first_request_refuses_it(ended, monkeypatch):
    def refuse(close):
        raise RuntimeError("can't register atexit after shutdown")

    monkeypatch.setattr(threading, "_register_atexit", refuse)
    at_session_end(lambda: None)
    with pytest.raises(RuntimeError, match="after shutdown"):
        asyncio.run(before_its_server(pytest.fail)({"type": "http"}, None, None))
