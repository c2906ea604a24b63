"""The painter as its session sees it: a process that is sent documents and says what it has drawn."""

import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import IO

from bluesky_gp.live.painter import NO_DISPLAY

logger = logging.getLogger("bluesky_gp.live")


class Painting:
    """A process that draws.

    Parameters
    ----------
    arguments : sequence of str
        Of `bluesky_gp.live.painter`.
    painted : callable
        Called, on a thread, after every picture.
    backend : str
        Of matplotlib; "": whichever there is.
    """

    def __init__(self, arguments: Sequence[str], painted: Callable[[], None], backend: str = "") -> None:
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bluesky_gp.live.painter", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | ({"MPLBACKEND": backend} if backend else {}),
            start_new_session=True,  # Ctrl-C is the RunEngine's
        )
        self._painted = painted
        self._sent = 0
        self._drawn = threading.Condition()
        self._n_drawn = 0
        self._broken = False
        self._too_late = False  # the last picture, as the session ended
        self._thread = threading.Thread(target=self._hear, name="bluesky_gp pictures", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether the process has ended, as when its window was closed."""
        return self._broken or self._process.poll() is not None

    def send(self, line: bytes) -> None:
        """Send a document, at the next `flush` at the latest; nothing happens if the process has ended."""
        self._sent += self._try(lambda lines: lines.write(line))

    def flush(self) -> None:
        """Have all documents arrive."""
        self._try(lambda lines: lines.flush())

    def _try(self, do: Callable[[IO[bytes]], object]) -> bool:
        """Write to the process; return whether it took that."""
        try:
            assert self._process.stdin is not None  # noqa: S101 - for the type checker
            do(self._process.stdin)
        except (OSError, ValueError):  # closed at the other end, or at this one
            self._broken = True
        return not self._broken

    def wait(self, timeout: float) -> bool:
        """Wait until all that was sent is drawn; False if that takes longer, or the process has ended before."""
        with self._drawn:
            self._drawn.wait_for(lambda: self.over or self._n_drawn >= self._sent, timeout)
            return self._n_drawn >= self._sent

    def kill(self, *, too_late: bool = False) -> None:
        """End the process at once; it may be because the session ends."""
        self._too_late = too_late
        self._process.kill()

    def close(self, timeout: float) -> None:
        """Have the last picture drawn, then end the process."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        try:
            self._process.stdin.close()
        except OSError:  # it has ended
            pass
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill(too_late=True)
            self._process.wait()
        self._thread.join(max(timeout, 1.0))  # it has ended: what it said last is still reported

    def _hear(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        with self._process.stdout as lines:
            for line in lines:
                with self._drawn:
                    self._n_drawn = int(line)
                    self._drawn.notify_all()
                self._painted()
        self._say_why(self._process.wait())
        with self._drawn:
            self._drawn.notify_all()

    def _say_why(self, code: int) -> None:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        self._errors.close()
        if code == NO_DISPLAY:
            logger.warning(NOWHERE)
        elif self._too_late:
            logger.warning("LiveMaps: the last picture was not drawn in time: the computer is busy")
        elif code != 0:
            logger.warning(
                "LiveMaps: the run goes on without a picture: %s", lines[-1] if lines else f"exit code {code}"
            )


NOWHERE = "LiveMaps: no window can be opened here; LiveMaps(file='live.png') renews a picture instead, over ssh as well"
