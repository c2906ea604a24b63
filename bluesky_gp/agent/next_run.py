"""The beginning of an agent's next run: a history that is read, or what the optimizer knows."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from bluesky_gp.protocols import AnyOptimizer, Looks, Scalarizer
from bluesky_gp.run import Decision, History, Resumed, beginning, resume
from bluesky_gp.status import DaemonExecutor


@dataclass(frozen=True)
class Assignment:
    """Task that a plan gives the agent before it opens a run.

    Parameters
    ----------
    num : int or None
        Pixels that the run attempts, those of the run that it resumes included.
    resume_from : optional
        A run of a catalog, the path of a journal, a uid that is looked up in the agent's catalog, or what the agent
        itself left, a `Resumed`.
    detectors : tuple
        With which the plan measures.
    """

    num: int | None = None
    resume_from: Any = None
    detectors: tuple[Any, ...] = ()


class Preparation:
    """Keeps what the optimizer knew when the first run began, and reads the run that the next one resumes.

    Parameters
    ----------
    optimizer : Optimizer
    catalog : object, optional
        Where runs are looked up.
    scalarizer : callable, optional
        The agent's.
    """

    def __init__(self, optimizer: AnyOptimizer, *, catalog: Any, scalarizer: Scalarizer | None) -> None:
        self._optimizer = optimizer
        self._catalog = catalog
        self._scalarizer = scalarizer
        self._first_state: Any = None  # until a run begins
        self._read: Future[Resumed] | None = None
        self._read_for: Assignment | None = None

    @property
    def first_state(self) -> Any:
        """The state in which every run begins that resumes no other."""
        return self._optimizer.state if self._first_state is None else self._first_state

    @property
    def initial(self) -> History:
        """History of a run that resumes no other."""
        return History(told=tuple(self._optimizer.points(self.first_state)))

    @property
    def resumed(self) -> Resumed | None:
        """The run that `read` has read, until the next begins; None if it read nothing."""
        ready = self._read is not None and self._read.done() and self._read.exception() is None
        return self._read.result() if ready and self._read is not None else None

    def read(self, value: Assignment, mine: Mapping[str, Any]) -> "Future[Resumed] | None":
        """Begin to read the run that is to be resumed, None if there is none; asked again, it is not read anew.

        Parameters
        ----------
        value : Assignment
        mine : Mapping
            What the new run will say of itself under ``gp``.
        """
        if value.resume_from is None:
            self._read = None
        elif isinstance(value.resume_from, Resumed):
            self._read = Future()
            self._read.set_result(value.resume_from)
        elif self._read is None or self._read_for is not value:
            job = partial(resume, value.resume_from, self._optimizer, mine, value.num)
            # Not on the agent's executor: a catalog is not sent to another process.
            options = {"catalog": self._catalog, "scalarizer": self._scalarizer, "detectors": value.detectors}
            self._read = DaemonExecutor().submit(job, **options)
            self._read_for = value
        return self._read

    def look(self, overview: Any) -> None:
        """Have the optimizer take an overview image, and the runs to come begin with what it makes of what is known.

        Raises
        ------
        TypeError
            If the optimizer has no use for images.
        """
        if not isinstance(self._optimizer, Looks):
            raise TypeError(
                f"an overview needs an optimizer that can look at one, got {type(self._optimizer).__name__}"
            )
        self._optimizer.restore(self.first_state)
        self._optimizer.look(overview)
        self._first_state = self._optimizer.state

    def begin(self, gp: Mapping[str, Any]) -> tuple[History, Decision | None]:
        """Return what a run begins with, and the decision that this leads to if it has been computed.

        Parameters
        ----------
        gp : Mapping
            What its start document says under ``gp``.
        """
        self._first_state = self.first_state
        history, resumed = History.of(gp), self.resumed
        self._read = None
        if resumed is not None and resumed.history.uid == history.uid:
            return resumed.history, resumed.decision
        if not history.uid:
            history = self.initial
        inherits = history.uid or history.told
        return history, None if inherits else beginning(self._optimizer, self._first_state)
