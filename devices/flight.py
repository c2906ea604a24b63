"""One flight over the points of a batch, on a thread of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

from bluesky_gp.protocols import Batch
from bluesky_gp.status import FutureStatus

Point = tuple[int, ...]
_POLL = 0.02  # s


class FlightBrokenError(RuntimeError):
    """The instrument cannot go on with the batch: its further points are not visited."""


class Flight(threading.Thread):
    """Visits one point after another; a point that raises is a fault, `FlightBrokenError` ends the flight.

    Parameters
    ----------
    batch : Batch
    visit : callable
        ``f(pixel)`` measures one.
    held : callable
        Called on the thread of the flight when it holds, in a pause.
    name : str
        Of the device.
    """

    def __init__(self, batch: Batch, visit: Callable[[Point], None], held: Callable[[], None], *, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.faults: dict[Point, str] = {}
        self._over: Future[None] = Future()
        self._batch = batch
        self._visit = visit
        self._held = held
        self._given_up = ""
        self._told = threading.Event()  # that it is given up
        self._free = threading.Event()  # to go to the next point
        self._free.set()

    @property
    def status(self) -> FutureStatus:
        """Status that ends with the flight, and fails if it broke."""
        return FutureStatus(self._over, name=self.name)

    @property
    def goes_on(self) -> bool:
        """Whether points are still to come; the thread itself may live a moment longer."""
        return not self._over.done()

    def give_up(self, why: str) -> None:
        """Visit no further point, and wait until that under way is over."""
        self._given_up = why
        self._told.set()
        if self.is_alive():
            self.join()

    def hold(self) -> None:
        """Visit no further point until `go_on`; that under way is measured to its end."""
        self._free.clear()

    def go_on(self) -> None:
        """Visit the next point."""
        self._free.set()

    def rest(self, seconds: float) -> None:
        """Wait; raise at once where the flight is given up."""
        if seconds > 0 and self._told.wait(seconds) or self._given_up:
            raise FlightBrokenError(f"{self.name}: {self._given_up} during the flight")

    def run(self) -> None:
        """Visit the points; the Status ends with the flight, whatever happens."""
        try:
            for pixel in self._batch.pixels:
                self._visit_one(pixel)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            self._over.set_exception(error)
        else:
            self._over.set_result(None)

    def _visit_one(self, pixel: Point) -> None:
        if not self._free.is_set():
            self._held()
        while not self._free.wait(_POLL):
            self.rest(0.0)
        self.rest(0.0)
        try:
            self._visit(pixel)
        except FlightBrokenError:
            raise
        except Exception as error:  # noqa: BLE001 - of one point alone
            self.faults[pixel] = f"{self.name}: {type(error).__name__}: {error}"
