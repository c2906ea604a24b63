"""Maps of every decision, those that take long by another process."""

from time import monotonic, sleep

import pytest
from view_runs import documents_of_run, keep

from bluesky_gp.view import Place, painting
from bluesky_gp.view.painting import Painter


@pytest.fixture(scope="module")
def seldom(tmp_path_factory):
    """A run whose maps were recorded every third time, and its uid."""
    folder = tmp_path_factory.mktemp("seldom")
    return folder, keep(folder, documents_of_run(num=40, agent={"maps": 3}))


@pytest.fixture
def painter(seldom):
    place = Place(seldom[0])
    painter = Painter(place.followed)
    yield painter
    painter.close()
    place.close()


def until(condition):
    end = monotonic() + 60.0
    while not condition():
        assert monotonic() < end
        sleep(0.1)


def test_recorded_maps_and_computed_ones_are_told_apart(painter, seldom):
    sources = {number: painter.frame(seldom[1], number).source for number in range(9)}
    assert [number for number, source in sources.items() if source == "recorded"] == [3, 6, 8]


@pytest.mark.slow
def test_while_maps_of_a_large_grid_are_computed_the_nearest_stand_for_them(painter, seldom, monkeypatch):
    monkeypatch.setattr(painting, "SMALL", 0)
    assert painter.frame(seldom[1], 5).decision in (3, 6)
    until(lambda: painter.frame(seldom[1], 5).decision == 5)
    until(lambda: all(painter.store.get(seldom[1], number) is not None for number in range(9)))


@pytest.mark.slow
def test_a_decision_whose_maps_cannot_be_computed_is_said_where_it_is_asked_for(painter, seldom, monkeypatch):
    monkeypatch.setattr(painting, "SMALL", 0)

    def refuses(*_):
        raise ValueError("no way")

    monkeypatch.setattr(painter, "_computed", refuses)
    monkeypatch.setattr(painter._worker, "frame", refuses)
    painter.frame(seldom[1], 5)
    until(lambda: (seldom[1], 5) in painter._hopeless)
    with pytest.raises(ValueError, match="no way"):
        painter.frame(seldom[1], 5)


def test_of_a_run_that_goes_on_only_what_is_looked_at_is_made(seldom, tmp_path):
    uid = keep(tmp_path, documents_of_run(num=20)[:-1], pending=True)
    place = Place(tmp_path)
    painter = Painter(place.followed)
    try:
        assert painter.frame(uid, 2).decision == 2
        sleep(1.5)
        assert painter.store.made == {(uid, 2)}
    finally:
        painter.close()
        place.close()
