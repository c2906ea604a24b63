"""The maps of every decision: those that were recorded at once, the others computed, ahead of being looked at."""

import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

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
        found = self.store.get(uid, number) or self._recorded(uid, number)
        if found is not None:
            return found
        waits = self._run(uid).record().grid.size > SMALL and (uid, number) not in self._hopeless
        stands = self.store.nearest(uid, number) or self._nearest_recorded(uid, number) if waits else None
        return self._computed(uid, number) if stands is None else stands

    def maps(self, moment: "Moment") -> Mapping[str, Floats]:
        """Return the maps of a decision as numbers, as they were recorded if they were; none before the first value."""
        from bluesky_gp.view.moments import maps_of

        uid = moment.record.start["uid"]
        if self._is_recorded(uid, moment.number):
            return self._run(uid).maps(int(moment.record.iterations["iteration"][moment.number]))
        return maps_of(moment) if moment.state.posterior is not None else {}

    def _recorded(self, uid: str, number: int) -> Frame | None:
        if not self._is_recorded(uid, number):
            return None
        run = self._run(uid)
        iteration = int(run.record().iterations["iteration"][number])
        return self._kept(uid, Frame.of(number, "recorded", run.maps(iteration)))

    def _nearest_recorded(self, uid: str, number: int) -> Frame | None:
        num = len(self._run(uid).record().iterations.get("iteration", ()))
        near = sorted(range(num), key=lambda other: abs(other - number))
        recorded = next((other for other in near if self._is_recorded(uid, other)), None)
        return None if recorded is None else self._recorded(uid, recorded)

    def _computed(self, uid: str, number: int) -> Frame:
        from bluesky_gp.view.moments import maps_of  # it needs scikit-learn, as above

        return self._kept(uid, Frame.of(number, "recalled", maps_of(self.moment(uid, number))))

    def _kept(self, uid: str, frame: Frame) -> Frame:
        self.store.put(uid, frame)
        return frame

    def _work(self) -> None:
        """Make what is missing, recorded maps first."""
        import_module("bluesky_gp.view.moments")  # while nobody waits for it
        while True:
            with self._changed:
                missing = self._missing()
                while not self._closed and missing is None:
                    self._changed.wait(1.0)  # a run that goes on has another decision by then
                    missing = self._missing()
                if self._closed or missing is None:
                    return
            try:
                if self._recorded(*missing) is None:
                    self._kept(missing[0], self._worker.frame(self._run(missing[0]).journal, *missing))
            except Exception:  # it is raised again, and said, where somebody asks for it
                self._hopeless.add(missing)

    def _missing(self) -> tuple[str, int] | None:
        """What to make next; of a run that goes on only what was asked for, as the session needs the computer."""
        if self._wanted is None:
            return None
        uid, wanted = self._wanted
        try:
            record = self._run(uid).record()
        except (KeyError, ValueError, OSError):
            return None
        num = len(record.iterations.get("iteration", ()))
        # Upwards from what was asked for, then what comes before: the state of one leads to that of the next.
        order = [*range(wanted, num), *range(min(wanted, num))] if record.stop else [min(wanted, num - 1)]
        order.sort(key=lambda number: not self._is_recorded(uid, number))
        every = ((uid, number) for number in order if number >= 0)
        return next((each for each in every if self.store.get(*each) is None and each not in self._hopeless), None)

    def _is_recorded(self, uid: str, number: int) -> bool:
        run = self._run(uid)
        iterations = run.record().iterations.get("iteration", ())
        return 0 <= number < len(iterations) and run.has_maps(int(iterations[number]))
