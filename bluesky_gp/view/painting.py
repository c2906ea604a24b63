"""The maps of every decision: those that were recorded at once, the others computed, ahead of being looked at."""

import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from bluesky_gp.recording import JournalError
from bluesky_gp.run import RunRecord
from bluesky_gp.typing import Floats
from bluesky_gp.view.followed import FollowedRun
from bluesky_gp.view.frames import Frame, FrameStore
from bluesky_gp.view.worker import Worker

if TYPE_CHECKING:
    from bluesky_gp.view.moments import Moment

SMALL = 96 * 96  # pixels, of which maps are computed while somebody waits
_KEPT = 6  # moments, each with a factor of all its pixels

GetRun = Callable[[str], FollowedRun]


class Painter:
    """Makes the frames of decisions, and keeps them.

    What takes long is done by another process, decision by decision around the one that was asked for last; meanwhile
    the nearest frame that there is stands for it.

    Parameters
    ----------
    run : callable
        Returns a run by its uid.
    """

    def __init__(self, run: GetRun) -> None:
        self.store = FrameStore()
        self._run = run
        self._moments: dict[tuple[str, int], Moment] = {}
        self._wanted: tuple[str, int] | None = None
        self._worker = Worker()
        self._hopeless: set[tuple[str, int]] = set()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="maps", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, and the process that computes."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.close()

    def moment(self, uid: str, number: int) -> "Moment":
        """Return a decision of a run, with all that was computed of it so far."""
        from bluesky_gp.view.moments import Moment  # it needs scikit-learn: the page is up before that

        if (uid, number) not in self._moments:
            self._moments[uid, number] = Moment(self._run(uid).record(), number)
            while len(self._moments) > _KEPT:
                self._moments.pop(next(iter(self._moments)), None)
        return self._moments[uid, number]

    def frame(self, uid: str, number: int) -> Frame:
        """Return the frame of a decision; of another one, the nearest there is, while it is being computed.

        Raises
        ------
        ValueError
            If there is no such decision, or its maps were not recorded and cannot be computed.
        """
        with self._changed:
            self._wanted = uid, number
            self._changed.notify_all()
        run = self._run(uid)
        record = run.record()
        found = self.store.get(uid, number) or self._recorded(run, record, number)
        if found is not None:
            return found
        waits = record.grid.size > SMALL and (uid, number) not in self._hopeless
        stands = self.store.nearest(uid, number) or self._nearest_recorded(run, record, number) if waits else None
        return self._computed(uid, number) if stands is None else stands

    def maps(self, moment: "Moment") -> Mapping[str, Floats]:
        """Return the maps of a decision as numbers, as they were recorded if they were; none before the first value."""
        from bluesky_gp.view.moments import maps_of

        run = self._run(moment.record.start["uid"])
        iteration = int(moment.record.iterations["iteration"][moment.number])
        if run.has_maps(iteration):
            return run.maps(iteration)
        return maps_of(moment) if moment.state.posterior is not None else {}

    def _recorded(self, run: FollowedRun, record: RunRecord, number: int) -> Frame | None:
        iterations = record.iterations.get("iteration", ())
        if not (0 <= number < len(iterations) and run.has_maps(int(iterations[number]))):
            return None
        return self._kept(run.uid, Frame.of(number, "recorded", run.maps(int(iterations[number]))))

    def _nearest_recorded(self, run: FollowedRun, record: RunRecord, number: int) -> Frame | None:
        recorded = _recorded_decisions(run, record)
        near = min(recorded, key=lambda other: abs(other - number), default=-1)
        return self._recorded(run, record, near)

    def _computed(self, uid: str, number: int) -> Frame:
        from bluesky_gp.view.moments import maps_of  # it needs scikit-learn, as above

        return self._kept(uid, Frame.of(number, "recalled", maps_of(self.moment(uid, number))))

    def _kept(self, uid: str, frame: Frame) -> Frame:
        self.store.put(uid, frame)
        return frame

    def _work(self) -> None:
        """Make what is missing, recorded maps first."""
        import_module("bluesky_gp.view.moments")  # while nobody waits for it
        while not self._closed:
            try:
                missing = self._missing()
                if missing is not None:
                    self._make(*missing)
                    continue
            except (KeyError, ValueError, OSError, JournalError):
                pass  # it is raised again, and said, where somebody asks for it
            with self._changed:
                if not self._closed:
                    self._changed.wait(1.0)  # a run that goes on has another decision by then

    def _make(self, run: FollowedRun, record: RunRecord, number: int) -> None:
        try:
            if self._recorded(run, record, number) is None:
                self._kept(run.uid, self._worker.frame(run.journal, run.uid, number))
        except Exception:  # as above
            self._hopeless.add((run.uid, number))

    def _missing(self) -> tuple[FollowedRun, RunRecord, int] | None:
        """What to make next; of a run that goes on only what was asked for, as the session needs the computer."""
        if self._wanted is None:
            return None
        uid, wanted = self._wanted
        run = self._run(uid)
        record = run.record()
        num = len(record.iterations.get("iteration", ()))
        # Upwards from what was asked for, then what comes before: the state of one leads to that of the next.
        others = [*range(wanted, num), *range(min(wanted, num))] if record.stop else [min(wanted, num - 1)]
        order = [*_recorded_decisions(run, record), *others] if record.stop else others
        known = self._hopeless | self.store.made
        return next(((run, record, number) for number in order if number >= 0 and (uid, number) not in known), None)


def _recorded_decisions(run: FollowedRun, record: RunRecord) -> list[int]:
    """Return the decisions whose maps were recorded."""
    iterations = record.iterations.get("iteration")
    return [] if iterations is None else [n for n, each in enumerate(iterations.tolist()) if run.has_maps(each)]
