"""Methods by which people steer an agent's run: each checks the whole of what it is given, then one action waits."""

import getpass
import logging
from collections.abc import Mapping, Sequence
from time import time
from typing import Any

from bluesky_gp.agent.failures import Failure
from bluesky_gp.agent.hands import Hands
from bluesky_gp.agent.regions import pixels_of, region_of
from bluesky_gp.agent.review import Review
from bluesky_gp.agent.slips import check_text, checked_pixel
from bluesky_gp.agent.steering import Progress
from bluesky_gp.grid import PixelGrid
from bluesky_gp.packed import bits_as_text
from bluesky_gp.protocols import AnyOptimizer
from bluesky_gp.run import (
    ADD,
    AGREE,
    ALLOW,
    BY_HAND,
    CONFIGURE,
    EDIT,
    FINISH,
    FORBID,
    GO_ON,
    LEARN,
    OF_ITS_RUN,
    PAUSE,
    RESTRICT,
    VETO,
    Action,
    Axes,
    Orders,
    PixelKeys,
    Reading,
    lesson,
    region_in_words,
    steerable,
)
from bluesky_gp.settings import check_whole

log = logging.getLogger("bluesky_gp")


class ByHand:
    """The half of an agent that people speak to: while a run is paused, from another thread, a queue or a page.

    What is wrong with an argument is raised at once, and nothing changes. What is right is an event of stream
    ``NAME_hands`` before the next question, counts from the next decision on, and is known to resume and replay; asked
    for between two runs, it is an event of the next one. Arguments may be plain data, as queues and pages have them.
    """

    name: str
    optimizer: AnyOptimizer
    catalog: Any
    hands: Hands
    review: Review
    _run: Progress | None
    _marks: list[Failure]
    _room: int  # pixels of a batch at most

    def _keys(self, axes: Axes | None) -> PixelKeys:
        raise NotImplementedError

    def add_pixels(self, pixels: Sequence[Sequence[int]], *, who: str = "") -> None:
        """Have pixels measured next, before any that the optimizer chooses.

        One that has a value already is measured again; one of the batch under way is refused.

        Parameters
        ----------
        pixels : sequence of pixels
            ``[(row, col), ...]``.
        who : str, optional
            Name for the record. Default: the user's.
        """
        self.hands.add(self.wish(pixels, who=who))

    def wish(self, pixels: Sequence[Sequence[int]], *, who: str = "") -> Action:
        """Return the action that has pixels measured next, for a plan that records it by itself."""
        rows = pixels_of(pixels, self.optimizer.grid)
        self._check_free(rows)
        return self._action(ADD, {"pixels": rows}, who)

    def forbid(self, region: Any, *, who: str = "") -> None:
        """Measure no more in a region: pixels of the batch under way that lie in it are left out.

        Parameters
        ----------
        region : Mapping or array_like of bool
            ``{"rectangle": [[0, 0], [9, 9]]}`` (corners, both inside), ``{"polygon": [[row, col], ...]}``
            (its edges inside), ``{"pixels": [[row, col], ...]}``, ``{"mask": mask}`` or the mask itself (True inside),
            ``{"above": 0.3}`` or ``{"below": 0.3}`` (where the map is, as of now).
        """
        self._bound(FORBID, region, who)

    def allow(self, region: Any, *, who: str = "") -> None:
        """Measure in a region again that was forbidden, or lies outside of what the search is restricted to."""
        self._bound(ALLOW, region, who)

    def restrict(self, region: Any, *, who: str = "") -> None:
        """Search in a region only, in place of any before it; see `forbid`."""
        self._bound(RESTRICT, region, who)

    def configure(self, *, who: str = "", **settings: Any) -> None:
        """Change settings for what comes: all of them, or none if one does not fit.

        Parameters
        ----------
        **settings
            Of the optimizer `acquisition` (also by name, as ``"ucb"``), `batch` or `purpose`, `batch_size`,
            `min_distance` and `stopping`; objects, or their descriptions as the record has them. `num`: pixels that
            the run attempts.
        """
        if not settings:
            raise ValueError(f"{self.name}: give the settings to change, as in batch_size=5")
        described = {name: value for name, value in settings.items() if name == "num"}
        if described:
            self._check_num(described["num"])
            self._check_not_passed(described["num"])
        if of_optimizer := {name: value for name, value in settings.items() if name != "num"}:
            described |= self._described(of_optimizer)
        self._ask(CONFIGURE, described, who)

    def go_on(self, more: int = 100, *, who: str = "") -> None:
        """Have the run attempt so many pixels more than it would."""
        check_whole(self.name, "more", more, 1)
        num = self._going_on().num_after(self.hands.waiting)
        if num is None:
            raise ValueError(f"{self.name}: the run has no number of pixels that could be raised")
        self._check_num(num + more)
        self._ask(GO_ON, {"more": int(more)}, who)

    def pause_after_batch(self, *, who: str = "") -> None:
        """Have the RunEngine pause after the batch under way, before the next decision."""
        self._going_on()
        self._ask(PAUSE, {}, who)

    def finish(self, reason: str = "finished by hand", *, who: str = "") -> None:
        """Let the run end as a success after the batch that is being measured; `reason` is recorded.

        A batch that waits in review is not measured.

        Raises
        ------
        RuntimeError
            If no run goes on.
        """
        self._going_on("finish")
        check_text("reason", reason, empty=True)
        self._ask(FINISH, {"reason": reason or "finished by hand"}, who)

    def agree(self, *, who: str = "") -> None:
        """Have the batch that waits in review measured."""
        self._reviewed()
        self._ask(AGREE, {}, who)

    def edit(self, pixels: Sequence[Sequence[int]], *, who: str = "") -> None:
        """Have these pixels measured in place of the batch that waits in review."""
        self._reviewed()
        rows = pixels_of(pixels, self.optimizer.grid)
        if len(rows) > self._room:
            raise ValueError(f"{self.name}: a batch of this run has {self._room} pixels at most, got {len(rows)}")
        if len({tuple(row) for row in rows}) < len(rows):
            raise ValueError(f"{self.name}: a pixel stands twice in {rows}")
        self._check_free(rows, under_way=False)
        self._ask(EDIT, {"pixels": rows}, who)

    def veto(self, pixels: Sequence[Sequence[int]] | None = None, *, who: str = "") -> None:
        """Have others chosen in place of some pixels of the batch that waits in review, which are forbidden.

        Parameters
        ----------
        pixels : sequence of pixels, optional
            Default: all.
        """
        steerable(self.optimizer)
        batch = self._reviewed()
        rows = [list(pixel) for pixel in batch] if pixels is None else pixels_of(pixels, self.optimizer.grid)
        if strangers := [row for row in rows if tuple(row) not in batch]:
            raise ValueError(f"{self.name}: the batch that waits has {list(batch)}, and not {strangers}")
        self._ask(VETO, {"pixels": rows}, who)

    def learn_from(
        self, run: Any, *, axes: Any = None, grid: Any = None, std: float | str | None = None, who: str = ""
    ) -> None:
        """Learn what another run measured, of any plan: `grid_scan`, `list_scan`, a coarse map.

        Its pixels do not count as attempts of this run, and their values stand in its record. One of another grid, of
        other step, offset or rotation, teaches the pixels that its own lie in.

        Parameters
        ----------
        run
            A run of a catalog, the path of a journal, or a uid that is looked up in the agent's catalog.
        axes : Axes or sequence of str, optional
            Event keys that say where the stage was. Default: the dimensions in its start document.
        grid : PixelGrid or mapping, optional
            That its rows and columns are counted on. Default: the one in its start document.
        std : float or str, optional
            Standard deviation of the noise of its values where it is larger than that of the run to come, as of a quick
            map, in the target's unit; or the event key that has it. Default: one noise for all values.
        """
        given = None if axes is None else Axes.of(axes)
        lattice = None if grid is None else PixelGrid.from_mapping(grid)
        reading = Reading(given, lattice, std)
        self._ask(LEARN, lesson(run, self._keys(given), catalog=self.catalog, reading=reading), who)

    def mark_failed(self, pixel: Sequence[int], reason: str, *, who: str = "") -> None:
        """Mark a pixel as failed, whatever was measured there.

        It is recorded in stream ``NAME_failures`` before the next question: of the run that goes on, else of the next
        one, which may resume the run in which the pixel was measured. The record names nobody: `who` is not kept.
        """
        check_text("reason", reason, empty=True)
        wanted = checked_pixel(self.optimizer.grid, pixel)
        self._marks.append(Failure(wanted, reason or "marked by hand", BY_HAND))

    # What the methods share

    def _drop_late(self) -> None:
        """Forget what came too late for the run that ended, and means nothing to any other; say what waits."""
        late = [action for action in self.hands.waiting if action.kind in OF_ITS_RUN]
        self.hands.drop(*(action.id for action in late))
        if late or self.hands.waiting:
            log.warning(
                "%s: too late for the run: %s; for the next: %s", self.name,
                [action.kind for action in late], [action.kind for action in self.hands.waiting],
            )  # fmt: skip

    @property
    def progress(self) -> Progress | None:
        """The run that it steers, or steered last."""
        return self._run

    @property
    def orders(self) -> Orders:
        """What holds once all that waits is heeded."""
        if self._run is None:
            return Orders().after(self.hands.waiting, (), self.optimizer.grid)
        return self._run.orders_after(self.hands.waiting)

    def _going_on(self, do: str = "steer") -> Progress:
        if self._run is None or self._run.over:
            raise RuntimeError(
                f"{self.name}: there is no run to {do}: go_on, pause_after_batch and finish are for a run that "
                f"goes on; the next one is given its number, adaptive_map(..., num=...), resume_from=... to go on from "
                f"one that ended"
            )
        return self._run

    def _reviewed(self) -> tuple[tuple[int, ...], ...]:
        """Return the batch that waits in review."""
        question = self.review.question
        if question is None:
            raise RuntimeError(
                f"{self.name}: no batch waits for an answer: adaptive_map(..., review=True) has them wait"
            )
        return question.pixels

    def _described(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings of the optimizer as plain data, with others that change as they do, once all are checked."""
        before = self.orders.changed(self.optimizer)
        after = steerable(before).configured(settings)
        if after.batch_size > self._room:
            raise ValueError(
                f"{self.name}: a batch of this run has {self._room} pixels at most, got batch_size={after.batch_size}: "
                f"GPAgent(..., largest_batch=...) makes room for more"
            )
        old, new = before.describe(), after.describe()
        changed = {name: value for name, value in new.items() if name in settings or value != old.get(name)}
        if "batch" in changed:
            changed.pop("purpose", None)  # that is but a name for a share
        # Made again from its description as resume and replay will: of a function of one's own there is the name only.
        steerable(self.optimizer).configured({**self.orders.settings, **changed})
        return changed

    def _bound(self, kind: str, region: Any, who: str) -> None:
        grid, orders = self.optimizer.grid, self.orders
        steerable(self.optimizer)
        said, mask = region_of(region, grid, None if self._run is None else self._run.latest)
        action = self._action(kind, {"region": said, "mask": bits_as_text(mask)}, who)
        barred = orders.after([action], (), grid).barred
        if barred is not None and not (grid.allowed & ~barred).any():
            raise ValueError(
                f"{self.name}: {kind} {region_in_words(said)}, {mask.sum()} pixels, leaves no pixel to measure"
            )
        self.hands.add(action)

    def _check_free(self, rows: list[list[int]], *, under_way: bool = True) -> None:
        grid = self.optimizer.grid
        flat, barred = grid.ravel(rows), self.orders.barred
        if barred is not None and barred[flat].any():
            raise ValueError(f"{self.name}: {grid.unravel(flat[barred[flat]]).tolist()} is forbidden: allow it first")
        busy = self._run.under_way if under_way and self._run is not None and not self._run.over else frozenset()
        if again := [row for row, pixel in zip(rows, flat.tolist(), strict=True) if pixel in busy]:
            raise ValueError(f"{self.name}: {again} is in the batch under way")

    def _check_num(self, num: Any) -> None:
        check_whole(self.name, "num", num, 1)
        if num > (most := int(self.optimizer.grid.allowed.sum())):
            raise ValueError(f"{self.name}: num must be between 1 and the {most} pixels that the grid has, got {num}")

    def _check_not_passed(self, num: int) -> None:
        """Raise if the run that goes on has attempted more pixels than it is to attempt: it would end as if done."""
        passed = 0 if self._run is None or self._run.over else self._run.n_attempted
        if num < passed:
            raise ValueError(
                f"{self.name}: num={num} is less than the {passed} pixels that the run has attempted already: to end "
                f"it, finish('why')"
            )

    def _ask(self, kind: str, arguments: Mapping[str, Any], who: str) -> None:
        self.hands.add(self._action(kind, arguments, who))

    @staticmethod
    def _action(kind: str, arguments: Mapping[str, Any], who: str) -> Action:
        return Action(kind, arguments, who or _user(), time())


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may have no names
        return ""
