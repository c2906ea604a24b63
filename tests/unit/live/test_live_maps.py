"""LiveMaps with the process that draws for it."""

import logging
import os
import signal
import threading
import time

import pytest
from bluesky.plan_stubs import sleep
from matplotlib.image import imread

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.live import LiveMaps
from bluesky_gp.live import live_maps as module
from bluesky_gp.live.surface import surface
from bluesky_gp.plans import raster_map

PATIENCE = 60.0  # seconds, on a machine that does much else


@pytest.fixture
def live_maps():
    """LiveMaps(...) that are closed when the test ends."""
    made = []

    def make(*args, **options):
        made.append(LiveMaps(*args, interval=0.05, **options))
        return made[-1]

    yield make
    for maps in made:
        maps.close(PATIENCE)


@pytest.mark.slow
def test_the_picture_is_renewed_run_by_run_and_is_whole_whenever_somebody_looks(bench, RE, live_maps, tmp_path):
    maps = live_maps(tmp_path / "live.png")
    RE.subscribe(maps)
    RE(bench.map(20))
    assert maps.wait(PATIENCE)
    first = (tmp_path / "live.png").read_bytes()
    seen, over = [], threading.Event()

    def look():
        while not over.is_set():
            seen.append(imread(tmp_path / "live.png").shape)

    thread = threading.Thread(target=look)
    thread.start()
    RE(bench.map(40))
    assert maps.wait(PATIENCE)
    over.set()
    thread.join()
    assert (tmp_path / "live.png").read_bytes() != first
    assert set(seen) == {(720, 1300, 4)}
    assert os.listdir(tmp_path) == ["live.png"]


@pytest.mark.slow
def test_a_painter_that_is_killed_ends_no_run_and_comes_back_with_the_next(bench, RE, live_maps, tmp_path, caplog):
    maps = live_maps(tmp_path / "live.png")
    RE.subscribe(maps)
    RE.subscribe(lambda name, doc: maps._painting.kill() if name == "event" and doc["seq_num"] == 12 else None)
    RE(bench.map(30))
    assert len(bench.detector.triggered) == 30 and not maps.wait(PATIENCE)
    RE.unsubscribe(1)
    (tmp_path / "live.png").unlink(missing_ok=True)
    RE(bench.map(30))
    assert maps.wait(PATIENCE) and (tmp_path / "live.png").exists()


@pytest.mark.slow
def test_a_painter_that_hangs_holds_no_run_up_and_is_given_up(bench, RE, live_maps, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BACKLOG", 20)
    maps, hanging = live_maps(tmp_path / "live.png"), []

    def hang(name, doc):
        if name == "descriptor" and doc["name"] == "primary":
            while maps._painting is None:  # begun on a thread of its own
                time.sleep(0.01)
            hanging.append(maps._painting._process)
            os.kill(hanging[0].pid, signal.SIGSTOP)

    RE.subscribe(maps)
    RE.subscribe(hang)
    padding = {"note": "x" * 200_000}  # more than a pipe holds
    (uid,) = RE(bench.map(30))
    for i in range(40):
        maps("descriptor", {"uid": f"d{i}", "run_start": uid, **padding})
    assert hanging[0].wait(PATIENCE) == -signal.SIGKILL


@pytest.mark.slow
def test_a_session_that_ends_before_the_last_picture_is_drawn_says_so(bench, RE, live_maps, tmp_path, caplog):
    maps = live_maps(tmp_path / "live.png")
    RE.subscribe(maps)
    RE(bench.map(5))
    assert not maps.wait(0.0)
    maps.close(0.0)
    assert [record.message for record in caplog.records if record.name == "bluesky_gp.live"] == [
        "LiveMaps: the last picture was not drawn in time: the computer is busy"
    ]


@pytest.mark.slow
def test_with_the_agent_the_maps_of_every_decision_are_shown_though_the_record_has_none(bench, RE, live_maps, tmp_path):
    agent = GPAgent(PixelOptimizer(bench.grid, "height"), target="det_height", maps=0)
    maps, sent = live_maps(tmp_path / "live.png", agent=agent), []
    bench.agent = agent
    RE.subscribe(maps)
    RE(bench.map(5))
    maps.wait(PATIENCE)
    maps._painting.send = sent.append
    RE(bench.map(30, per_batch=lambda pixels: sleep(0.3)))  # a batch as long as on a microscope: no decision is missed
    maps.wait(0.1)
    assert sum(b"gp_maps_mean" in line for line in sent) >= 2


@pytest.mark.slow
def test_a_painter_that_fails_says_why_in_the_log(bench, RE, live_maps, tmp_path, caplog):
    folder = tmp_path / "pictures"
    folder.mkdir()
    maps = live_maps(folder / "live.png")
    folder.rmdir()
    RE.subscribe(maps)
    with caplog.at_level(logging.WARNING, "bluesky_gp.live"):
        RE(bench.map(20))
        maps.wait(PATIENCE)
        maps._painting._thread.join(PATIENCE)
    assert "the run goes on without a picture: FileNotFoundError" in caplog.text


def test_without_a_display_it_says_once_what_to_do_instead(bench, RE, live_maps, monkeypatch, caplog):
    monkeypatch.setenv("MPLBACKEND", "agg")
    maps = live_maps()
    RE.subscribe(maps)
    RE(bench.map(5))
    RE(bench.map(5))
    assert not maps.wait(PATIENCE)
    assert caplog.text.count("LiveMaps(file='live.png') renews a picture instead") == 1


def test_runs_that_no_agent_steers_start_no_painter(bench, RE, live_maps, tmp_path):
    maps = live_maps(tmp_path / "live.png")
    RE.subscribe(maps)
    RE(raster_map([bench.detector], bench.stage, every=4))
    assert not maps.wait(PATIENCE) and maps._painting is None


def test_a_folder_that_is_not_there_and_an_interval_below_zero_are_said_at_once(tmp_path):
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere"):
        LiveMaps(tmp_path / "nowhere" / "live.png")
    with pytest.raises(TypeError, match=r"subscribe an object: RE.subscribe\(LiveMaps\(\)\)"):
        LiveMaps("start", {})
    with pytest.raises(ValueError, match="interval must be at least 0"):
        LiveMaps(interval=-1.0)


@pytest.mark.parametrize(
    ("backend", "display", "found"),
    [
        ("qtagg", ":0", ("window", "qtagg")),
        ("agg", ":0", ("none", "agg")),
        ("module://matplotlib_inline.backend_inline", "", ("cell", "")),
        ("module://ipympl.backend_nbagg", "", ("cell", "")),
        ("", ":0", ("window", "")),
        ("", "", ("none", "")),
    ],
)
def test_figures_go_where_the_session_shows_them(monkeypatch, backend, display, found):
    monkeypatch.setattr("matplotlib.get_backend", lambda auto_select: None)
    monkeypatch.setattr("sys.platform", "linux")
    for name, value in {"MPLBACKEND": backend, "DISPLAY": display}.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert surface() == found


def test_what_is_heard_costs_the_run_engine_next_to_nothing(live_maps, tmp_path):
    maps = live_maps(tmp_path / "live.png")
    heard = threading.get_ident()
    worked = []
    maps._send = lambda name, doc: worked.append((threading.get_ident(), time.sleep(0.01)))
    maps._begin = lambda: None
    maps("start", {"uid": "u", "gp": {"agent": "gp"}})
    maps.wait(PATIENCE)
    assert worked and all(thread != heard for thread, _ in worked)
