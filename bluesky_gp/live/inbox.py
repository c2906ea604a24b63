"""Documents that come as lines while pictures are drawn."""

import threading
from typing import IO

from bluesky_gp.live.run_reader import LiveReader
from bluesky_gp.live.so_far import RunSoFar
from bluesky_gp.recording import decode


class Inbox:
    """Documents as they come, read on a thread of its own: of those that come while a picture is drawn none is late."""

    def __init__(self, lines: IO[bytes]) -> None:
        self._reader = LiveReader()
        self._guard = threading.Lock()
        self._arrived = threading.Event()
        self._drawn = 0
        self.n_heard = 0
        self.ended = False
        self.error: Exception | None = None
        threading.Thread(target=self._read, args=[lines], daemon=True).start()

    def _read(self, lines: IO[bytes]) -> None:
        try:
            for line in lines:
                name, doc = decode(line)
                with self._guard:
                    self._reader(name, doc)
                    self.n_heard += 1
                self._arrived.set()
        except Exception as error:  # told when the last picture is drawn
            self.error = error
        finally:
            self.ended = True
            self._arrived.set()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until there is something new, or nothing more to come."""
        if not self.ended:
            self._arrived.wait(timeout)

    @property
    def is_new(self) -> bool:
        """Whether documents have come since the last `take`."""
        return self.n_heard > self._drawn

    def take(self) -> tuple[RunSoFar | None, int]:
        """Return the latest run so far, and how many documents it has seen."""
        self._arrived.clear()
        with self._guard:
            self._drawn = self.n_heard
            return self._reader.so_far, self._drawn
