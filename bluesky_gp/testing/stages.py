"""The contract of a stage that `adaptive_map` can trust; run over any stage.

::

    from bluesky_gp.testing import StageContract

    class TestMyStage(StageContract):
        @pytest.fixture
        def stage(self):
            return PixelStage(grid=GRID, axes=[piezo_y, piezo_x], name="stage")

Two motors without a PixelStage: return ``as_stage((y, x), grid)`` of `bluesky_gp.plans`. The contract visits the
extreme pixels of the grid and asks for one pixel beyond each edge: on a real instrument choose a grid for which this is
safe.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky.protocols import HasHints, Movable, Pausable, Readable, Stoppable
from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.plans import AnyStage, Motors, axes_of, devices_of, moves_to, one_pixel
from bluesky_gp.testing.session import Session, called, disagreement, ended, nothing, outcome, reading, recorded, staged

Pixel = tuple[float, ...]


class StageContract:
    """Eleven tests of a stage; override the fixture `stage`.

    Attributes
    ----------
    timeout : float
        Seconds within which any move must end.
    """

    timeout: float = 30.0

    @pytest.fixture
    def stage(self) -> AnyStage:
        """Return the stage under test: a PixelStage, or motors with a grid."""
        raise NotImplementedError(f"{type(self).__name__}: override the fixture `stage`")

    def test_it_speaks_the_protocols(self, stage: AnyStage) -> None:
        """Name, parent, set, read, describe and hints, as bluesky wants them."""
        for device in devices_of(stage):
            for protocol in (Readable, Movable, HasHints):
                assert isinstance(device, protocol), f"{device!r} is not {protocol.__name__}: see bluesky.protocols"
            assert device.name, f"{device!r} has no name, and so its events no keys"
            assert getattr(device, "parent", self) is not self, f"{device.name} has no `parent`, staging asks for it"

    def test_its_readings_are_what_it_describes(self, stage: AnyStage) -> None:
        """Same keys; each value of the dtype and shape that `describe` says; a timestamp each."""
        session = Session()
        for device in devices_of(stage):
            session.run(staged([device], recorded(device, self.timeout), record=True))
            described = session.descriptors()[-1]["data_keys"]
            event = session.events()[-1]
            problems = [disagreement(key, described[key], event[key]) for key in described]
            assert not any(problems), f"{device.name}: {'; '.join(filter(None, problems))}"

    def test_its_events_say_where_it_is(self, stage: AnyStage) -> None:
        """The keys from which the agent takes the pixel are in the event, hinted, and numbers."""
        session = Session()
        session.run(
            staged(devices_of(stage), one_pixel([], stage, None, _first(stage), timeout=self.timeout), record=True)
        )
        event, hints = session.events()[-1], session.descriptors()[-1]["hints"]
        hinted = [field for device in hints.values() for field in device.get("fields", [])]
        for key in axes_of(stage).keys:
            assert key in event, f"{stage.name}: its event has no {key!r}, only {[*event]}"
            assert np.isfinite(event[key]), f"{stage.name}: {key} is {event[key]!r} after a move"
            assert key in hinted, f"{stage.name}: {key} is not hinted, tables and plots will not show it"

    def test_it_is_where_it_was_sent_when_its_status_ends(self, stage: AnyStage) -> None:
        """Over the extreme pixels of the grid, forth and back, within half a step."""
        pixels = stage.grid.outermost
        for pixel in (*pixels, *reversed(pixels)):
            self._go(Session(), stage, pixel)

    def test_its_pixel_axes_go_where_any_plan_sends_them(self, stage: AnyStage) -> None:
        """``stage.row`` and ``stage.col`` are motors in pixels, and several of them make one move."""
        positioner = getattr(stage, "pixels", None)
        if positioner is None:
            pytest.skip("the stage has no pixel axes")
        session, axes = Session(), positioner.pseudo_positioners
        for pixel in stage.grid.outermost:
            session.run(bps.mv(*chain.from_iterable(zip(axes, pixel, strict=True)), timeout=self.timeout))
            error = self._error(session, stage, pixel)
            assert error <= 0.5, f"{stage.name}: its pixel axes were sent to {pixel} and are {error:.3g} steps away"

    def test_it_stays_where_it_is_when_it_is_sent_there_again(self, stage: AnyStage) -> None:
        """A move of length nothing ends as any other."""
        session, pixel = Session(), _first(stage)
        for _ in range(2):
            self._go(session, stage, pixel)

    @pytest.mark.parametrize("beyond", [-1, 1])
    def test_it_does_not_clip(self, stage: AnyStage, beyond: int) -> None:
        """Asked for a pixel beyond the grid it says no, or goes there; a stage with a grid of its own says no."""
        session, first = Session(), _first(stage)
        for axis, size in enumerate(stage.grid.shape):
            pixel = [float(p) for p in first]
            pixel[axis] = -1.0 if beyond < 0 else float(size)
            self._go(session, stage, first)
            said_no = self._refuses(session, stage, tuple(pixel))
            if not isinstance(stage, Motors):
                assert said_no, f"{stage.name}: went to pixel {tuple(pixel)}, outside its grid {stage.grid.shape}"

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_it_refuses_what_is_no_number_and_does_not_move(self, stage: AnyStage, value: float) -> None:
        """NaN and infinity are refused by `set`, or end its Status badly, and nothing has moved."""
        session, first = Session(), _first(stage)
        self._go(session, stage, first)
        for axis in range(stage.grid.ndim):
            pixel = [float(p) for p in first]
            pixel[axis] = value
            assert self._raises(session, stage, pixel), f"{stage.name}: accepted {value} as a position"
            assert self._error(session, stage, first) <= 0.5, f"{stage.name}: moved when it was sent to {value}"

    def test_it_refuses_masked_pixels(self, stage: AnyStage) -> None:
        """A stage with a grid of its own never goes where the mask is True."""
        masked = np.argwhere(~stage.grid.allowed.reshape(stage.grid.shape))
        if isinstance(stage, Motors) or not len(masked):
            pytest.skip("the stage has no mask of its own")
        assert self._refuses(Session(), stage, tuple(float(p) for p in masked[0])), (
            f"{stage.name}: {masked[0]} is masked"
        )

    def test_it_can_be_stopped_and_moves_again(self, stage: AnyStage) -> None:
        """`stop` ends a move that is under way, whichever way; the next move works."""
        session, pixels = Session(), stage.grid.outermost
        self._go(session, stage, pixels[0])
        session.run(self._interrupted(stage, pixels[-1]))
        self._go(session, stage, pixels[-1])

    def test_it_can_be_staged_again_and_again(self, stage: AnyStage) -> None:
        """Also paused and resumed between; nothing has to be made anew for the next run."""
        session = Session()
        for _ in range(3):
            session.run(staged(devices_of(stage), nothing()))
            for device in devices_of(stage):
                if isinstance(device, Pausable):
                    session.run(called(device.pause))
                    session.run(called(device.resume))
        self._go(session, stage, _first(stage))

    def _go(self, session: Session, stage: AnyStage, pixel: Pixel) -> None:
        """Go to a pixel; AssertionError if the Status does not end, or ends elsewhere."""
        session.run(ended(_starts(stage, pixel), self.timeout, stage.name))
        error = self._error(session, stage, pixel)
        assert error <= 0.5, (
            f"{stage.name}: was sent to pixel {tuple(pixel)}, its Status ended well, and its read-back is {error:.3g} "
            f"steps away. End the Status when the read-back has arrived; refuse what cannot be reached"
        )

    def _error(self, session: Session, stage: AnyStage, pixel: Sequence[float]) -> float:
        """Return how far, in steps, the read-back is from a pixel."""
        read: dict[str, Any] = {}
        for device in devices_of(stage):
            read |= session.run(reading(device))
        where = axes_of(stage)
        found = where.fraction({key: read[key]["value"] for key in where.keys}, stage.grid)
        return float(np.max(np.abs(found - pixel)))

    def _raises(self, session: Session, stage: AnyStage, pixel: Sequence[float]) -> bool:
        try:
            session.run(ended(_starts(stage, pixel), self.timeout, stage.name))
        except AssertionError:
            raise
        except Exception:
            return True
        return False

    def _refuses(self, session: Session, stage: AnyStage, pixel: Pixel) -> bool:
        """Whether it says no; if it does not, it must be there."""
        if self._raises(session, stage, pixel):
            return True
        self._go(session, stage, pixel)
        return False

    def _interrupted(self, stage: AnyStage, pixel: Pixel) -> MsgGenerator[None]:
        """Start a move, stop it, and wait for the Status, which may end either way."""
        stops = [Msg("stop", device) for device in devices_of(stage) if isinstance(device, Stoppable)]
        ending = yield from outcome(_starts(stage, pixel), stops, self.timeout)
        assert ending, f"{stage.name}: was stopped, and the Status of its move did not end"


def _starts(stage: AnyStage, pixel: Sequence[float]) -> list[Msg]:
    with np.errstate(invalid="ignore"):  # where infinity is asked for, the grid computes with it
        return [Msg("set", movable, value) for movable, value in moves_to(stage, pixel)]


def _first(stage: AnyStage) -> tuple[int, ...]:
    return tuple(int(p) for p in stage.grid.unravel(np.flatnonzero(stage.grid.allowed)[:1])[0])
