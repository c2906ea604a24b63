"""Runs for the tests of the page, made once."""

import pytest
from starlette.testclient import TestClient
from view_runs import KINDS, keep

from bluesky_gp.view import Address, Place, page_app


@pytest.fixture(scope="session")
def kinds(tmp_path_factory):
    """A folder with the journals of a run of every kind, and their uids."""
    folder = tmp_path_factory.mktemp("runs")
    return folder, {kind: keep(folder, make()) for kind, make in KINDS.items()}


@pytest.fixture
def place(kinds):
    place = Place(kinds[0])
    yield place
    place.close()


@pytest.fixture
def address():
    return Address("127.0.0.1", 8000, "a-token")


@pytest.fixture
def client(place, address):
    """Ask the application, with the token."""
    app = page_app(place, address)
    client = TestClient(app, base_url="http://127.0.0.1:8000", headers={"Authorization": "Bearer a-token"})
    yield client
    app.state.painter.close()
