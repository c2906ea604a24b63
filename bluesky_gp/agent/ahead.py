"""The next decision as a device: begun while a batch is measured, waited for when the batch is over."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from bluesky_gp.agent.steering import Progress
from bluesky_gp.status import FutureStatus, finished


class Ahead:
    """Has an agent decide what follows a batch while the batch is measured; whether it counts is the agent's affair.

    Parameters
    ----------
    name : str
    run : callable
        Returns the run that is steered, None before the first.
    """

    parent = None

    def __init__(self, name: str, run: Callable[[], Progress | None]) -> None:
        self.name = name
        self._run = run

    @property
    def goes_on(self) -> bool:
        """Whether a decision is worth waiting for that was begun ahead."""
        return self._awaited is not None

    def prepare(self, value: None = None) -> FutureStatus:
        """Begin to decide, if there is a batch under way and enough is known; asked again it changes nothing."""
        run = self._run()
        if run is not None and not run.over:
            run.ask_ahead()
        return finished(self.name)

    def trigger(self) -> FutureStatus:
        """Return a Status that is done when the decision is; what went wrong is raised where the agent is asked."""
        over: Future[None] = Future()
        if (awaited := self._awaited) is None:
            return finished(self.name)
        awaited.add_done_callback(lambda _: over.set_result(None))
        return FutureStatus(over, name=self.name)

    @property
    def _awaited(self) -> "Future[Any] | None":
        run = self._run()
        return None if run is None or run.over else run.awaited
