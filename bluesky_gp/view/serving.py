"""The server of the page: a process of its own, which gives way to the one that measures."""

import socket
import threading

from bluesky_gp.priority import step_back
from bluesky_gp.view.address import Address
from bluesky_gp.view.app import page_app
from bluesky_gp.view.place import Place

_NICE = 10  # behind a session on the same computer


def serve_page(place: Place, address: Address, listener: socket.socket) -> None:
    """Serve the page until Ctrl-C, or until somebody ends the process.

    Parameters
    ----------
    place : Place
    address : Address
    listener : socket
        Bound to the address, and listening.
    """
    import uvicorn

    step_back(_NICE)
    opening = threading.Thread(target=place.open, name="catalog", daemon=True)
    config = uvicorn.Config(
        page_app(place, address), log_level="critical", access_log=False, timeout_graceful_shutdown=1, lifespan="off"
    )
    opening.start()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        place.close()
