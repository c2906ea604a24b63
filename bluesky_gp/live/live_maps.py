"""Maps of a run while it goes on: the callback that a session subscribes. Another process draws."""

import atexit
import logging
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, Self

from bluesky_gp.live.cell import Cell
from bluesky_gp.live.painting import NOWHERE, Painting
from bluesky_gp.live.surface import surface
from bluesky_gp.recording import encode
from bluesky_gp.run import MAPS, Decision, agent_entry
from bluesky_gp.settings import check_number

logger = logging.getLogger("bluesky_gp.live")

_REST = 0.1  # s between two looks at what was heard: a thread that wakes at each document would hold the run up
BACKLOG = 5000  # documents that may wait for a painter: one that hangs must not fill the session's memory
_BELONGS_TO = {"descriptor": "run_start", "event": "descriptor", "event_page": "descriptor", "stop": "run_start"}


class Deciding(Protocol):
    """An agent, whose latest maps are looked at."""

    name: str

    @property
    def decision(self) -> Decision | None:
        """The latest decision."""
        ...


class LiveMaps:
    """Show the runs that agents steer while they go on: pixels in order, maps, last spectrum, best, time left.

    A window where the session has them (``%matplotlib qt``), a picture in the cell of a notebook, or a file that is
    renewed. Another process draws, at its own pace; a run neither waits for it nor ends with it. A window that was
    closed comes back with the next run.

    Parameters
    ----------
    file : path, optional
        A PNG that is renewed, for sessions without a display. Nobody who reads it sees half of a picture.
    agent : GPAgent, optional
        Its maps are shown at every decision. Default: those that the run records, at every decision up to 64 x 64
        pixels and at every tenth of larger maps; the title of an older map says how old it is.
    interval : float
        Seconds between two pictures, at least.

    Examples
    --------
    >>> from bluesky import RunEngine
    >>> from bluesky_gp.live import LiveMaps
    >>> RE = RunEngine()
    >>> token = RE.subscribe(LiveMaps())
    """

    def __new__(cls, *given: Any, **named: Any) -> Self:
        """Make live maps, unless a RunEngine calls the class itself with a document."""
        if len(given) == 2:
            raise TypeError("LiveMaps is the class; subscribe an object: RE.subscribe(LiveMaps())")
        return super().__new__(cls)

    def __init__(
        self, file: str | os.PathLike[str] | None = None, *, agent: Deciding | None = None, interval: float = 1.0
    ) -> None:
        check_number("LiveMaps", "interval", interval, least=0.0)
        self.file = None if file is None else _picture(file)
        self._agent = agent
        self._interval = interval
        self._documents: SimpleQueue[tuple[str, Any] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._painting: Painting | None = None
        self._uids: set[str] = set()  # of the runs that agents steer, and of their streams
        self._cell: Cell | None = None
        self._said = False

    def __call__(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take a document in; it is looked at on a thread, and drawn in another process."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="bluesky_gp LiveMaps", daemon=True)
            self._thread.start()
            atexit.register(self.close)
        self._documents.put((name, doc))
        if self._documents.qsize() > BACKLOG and self._painting is not None:
            self._painting.kill()

    def wait(self, timeout: float = 10.0) -> bool:
        """Wait until all that was heard is drawn; False if that takes longer, or there is nowhere to draw."""
        if self._thread is None:
            return False
        passed = threading.Event()
        self._documents.put(("wait", passed))
        return passed.wait(timeout) and self._painting is not None and self._painting.wait(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Draw the last picture and end; done when the session ends as well."""
        thread, self._thread = self._thread, None
        if thread is not None:
            atexit.unregister(self.close)
            self._documents.put(None)
            thread.join(timeout)
            if self._painting is not None:
                if thread.is_alive():  # in the middle of a document that a painter which hangs does not take
                    self._painting.kill(too_late=True)
                    thread.join()
                self._painting.close(timeout)
                self._painting = None

    def _work(self) -> None:
        for item in iter(self._documents.get, None):
            name, doc = item
            if name == "wait":
                if self._painting is not None:
                    self._painting.flush()
                doc.set()
            elif self._is_mine(name, doc):
                if name == "start":
                    self._begin()
                self._send(name, doc)
            if self._documents.empty() and self._painting is not None:
                self._painting.flush()
                time.sleep(_REST)

    def _is_mine(self, name: str, doc: Mapping[str, Any]) -> bool:
        """Whether a document belongs to a run that an agent steers."""
        if name == "start":
            mine = agent_entry(doc) is not None
        else:
            mine = doc.get(_BELONGS_TO.get(name, "")) in self._uids
        if mine and name in ("start", "descriptor"):
            self._uids.add(doc["uid"])
        return mine

    def _begin(self) -> None:
        """See that there is a painter when a run begins."""
        if self._cell is not None:
            self._cell.begin()
        if self._painting is not None and not self._painting.over:
            return
        if self._painting is not None:
            self._painting.close(0.0)
        self._painting, options = None, ["--interval", str(self._interval)]
        where, backend = ("file", "") if self.file is not None else surface()
        if where == "none":
            if not self._said:
                logger.warning(NOWHERE)
            self._said = True
            return
        self._cell = Cell() if where == "cell" else None
        file = self.file if self._cell is None else self._cell.file
        if file is not None:
            options += ["--file", str(file)]
        self._painting = Painting(options, self._painted, backend)

    def _painted(self) -> None:
        if self._cell is not None:
            self._cell.show()

    def _send(self, name: str, doc: Mapping[str, Any]) -> None:
        if self._painting is None or self._painting.over:
            return
        with suppress(TypeError, ValueError):  # a document that no journal takes: the catalog's writer says so
            self._painting.send(encode(name, doc))
        if self._agent is not None and f"{self._agent.name}_iteration" in doc.get("data", {}):
            decision = self._agent.decision
            if decision is not None and decision.iteration == doc["data"][f"{self._agent.name}_iteration"]:
                self._painting.send(encode("event", _maps_event(self._agent.name, decision)))


def _maps_event(agent: str, decision: Decision) -> dict[str, Any]:
    """Return what the run would have recorded, had it recorded the maps of this decision."""
    state, proposal = decision.state, decision.proposal
    maps = dict(zip(MAPS, (state.mean, state.std, proposal.acquisition), strict=True))
    data = {f"{agent}_maps_{name}": values for name, values in maps.items()}
    return {"descriptor": "", "seq_num": 0, "data": {f"{agent}_maps_iteration": decision.iteration, **data}}


def _picture(file: Any) -> Path:
    """Return the path of a picture to renew; raise unless it can be one."""
    if not isinstance(file, str | os.PathLike):
        raise TypeError(f"LiveMaps: file must be the path of a picture such as 'live.png', got {file!r:.80}")
    path = Path(file).absolute()
    if not path.parent.is_dir():
        raise ValueError(f"LiveMaps: there is no folder {str(path.parent)!r} for the picture {path.name!r}")
    if path.suffix.lower() != ".png" or path.is_dir():
        raise ValueError(f"LiveMaps: the picture is a PNG, such as 'live.png', got {str(file)!r}")
    return path
