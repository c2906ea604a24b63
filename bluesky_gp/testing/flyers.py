"""The contract of a detector that is flown: that it can be trusted with a batch of points.

::

    from bluesky_gp.testing import FlyerContract

    class TestMyScanUnit(FlyerContract):
        @pytest.fixture
        def flyer(self):
            return MyScanUnit("IOC:", name="scan")
"""

from collections.abc import Mapping
from typing import Any, cast

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky.protocols import EventCollectable, EventPageCollectable, Flyable, Preparable, Stoppable, WritesStreamAssets
from bluesky.utils import MsgGenerator
from event_model import EventPage, unpack_event_page

from bluesky_gp.grid import PixelGrid
from bluesky_gp.plans import declare_flyer, fly_batch
from bluesky_gp.protocols import Batch, BatchFlyer
from bluesky_gp.testing.session import Session, called, disagreement, staged


class FlyerContract:
    """Six tests of a flyer; override the fixture `flyer`.

    Attributes
    ----------
    pixels : tuple of pixels
        Of the flyer's grid. Default: its extreme ones.
    """

    pixels: tuple[tuple[int, ...], ...] | None = None

    @pytest.fixture
    def flyer(self) -> Any:
        """Return the flyer under test."""
        raise NotImplementedError(f"{type(self).__name__}: override the fixture `flyer`")

    @pytest.fixture
    def grid(self, flyer: Any) -> PixelGrid:
        """Return the grid whose pixels it visits."""
        grid: PixelGrid = flyer.pixel_stage.grid
        return grid

    @pytest.fixture
    def batch(self, grid: PixelGrid) -> Batch:
        """Return the points of a flight."""
        return Batch(grid, tuple(self.pixels or dict.fromkeys(tuple(p) for p in grid.outermost)))

    def test_it_speaks_the_protocols(self, flyer: Any) -> None:
        """Prepared, kicked off, completed, collected and stopped, as bluesky wants it."""
        for protocol in (BatchFlyer, Preparable, Flyable, Stoppable):
            assert isinstance(flyer, protocol), f"{flyer!r} is no {protocol.__name__}"
        ways = (EventCollectable, EventPageCollectable, WritesStreamAssets)
        assert isinstance(flyer, ways), f"{flyer.name} can be collected in none of the ways of bluesky.protocols"

    def test_every_point_is_an_event_in_the_order_of_the_batch(self, flyer: Any, batch: Batch) -> None:
        """Not one is missing, none comes twice, and each stands within half a step of its pixel."""
        where = [[event[key] for key in flyer.pixel_keys] for event in _flown(flyer, batch)]
        assert np.shape(where) == np.shape(batch.pixels), f"{flyer.name}: {len(where)} of {len(batch.pixels)} points"
        assert np.abs(np.subtract(where, batch.pixels)).max() <= 0.5, f"{flyer.name}: was at {where}"

    def test_its_events_are_what_it_describes(self, flyer: Any, batch: Batch) -> None:
        """Same keys; each value of the dtype and shape that `describe_collect` said."""
        session = Session()
        events = _flown(flyer, batch, session)
        described = session.descriptors()[-1]["data_keys"]
        problems = [disagreement(key, described[key], event[key]) for event in events for key in event]
        assert not any(problems), f"{flyer.name}: {'; '.join(filter(None, problems))}"

    def test_it_flies_again_in_the_opposite_order(self, flyer: Any, batch: Batch) -> None:
        """Nothing of one flight is left over in the next."""
        back = Batch(batch.grid, batch.pixels[::-1])
        for each in (batch, back):
            where = [[event[key] for key in flyer.pixel_keys] for event in _flown(flyer, each)]
            assert np.array_equal(np.rint(where), each.pixels), f"{flyer.name}: was at {where}"

    def test_a_point_beyond_the_grid_is_refused(self, flyer: Any, grid: PixelGrid) -> None:
        """Nothing moves."""
        with pytest.raises(ValueError, match=r"."):
            flyer.check_batch(Batch(grid, (tuple(n + 1 for n in grid.shape),)))

    def test_it_can_be_stopped_when_nothing_goes_on_and_flies_again(self, flyer: Any, batch: Batch) -> None:
        """`stop` between two flights harms neither."""
        _flown(flyer, batch)
        Session().run(called(flyer.stop))
        assert len(_flown(flyer, batch)) == len(batch.pixels)


def _flown(flyer: Any, batch: Batch, session: Session | None = None) -> list[Mapping[str, Any]]:
    session = session or Session()
    session.run(staged([flyer], _flight(flyer, batch), record=True))
    pages = [cast(EventPage, doc) for name, doc in session.documents if name == "event_page"]
    return [event["data"] for page in pages for event in unpack_event_page(page)]


def _flight(flyer: Any, batch: Batch) -> MsgGenerator[None]:
    yield from declare_flyer(flyer)
    yield from fly_batch(flyer, batch)
    yield from bps.checkpoint()
