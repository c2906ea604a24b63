"""A beam that is open while detectors measure, and at no other time."""

import threading

import pytest
from bluesky.simulators import summarize_plan
from bluesky.utils import FailedStatus, RunEngineInterrupted
from flown import FlownBench

from bluesky_gp import PixelOptimizer
from bluesky_gp.devices import SimulatedAxis
from bluesky_gp.plans import blanked_wrapper, repeating
from bluesky_gp.replay import replay


def watched(monkeypatch, device, method, seen, blanker):
    """Write down where the blanker stands whenever a method of a device is called."""
    call = getattr(device, method)

    def watching(*given, **named):
        seen.append((f"{device.name}.{method}", blanker.position))
        return call(*given, **named)

    monkeypatch.setattr(device, method, watching)


@pytest.fixture
def session(monkeypatch, make_bench):
    """Make a bench, flown or not, a blanker that is open, and a list of where that stands when."""

    def made(flown=False, **options):
        options = {"optimizer": PixelOptimizer, "batch_size": 2, "n_initial": 2, **options}
        bench, blanker, seen = (FlownBench if flown else make_bench)(**options), SimulatedAxis(name="blanker"), []
        blanker.set(1)
        for device, method in (
            (bench.detector, "_visit" if flown else "trigger"), (bench.stage, "set"), (bench.agent, "trigger"),
        ):  # fmt: skip
            watched(monkeypatch, device, method, seen, blanker)
        return bench, blanker, seen

    return made


def blanked(bench, blanker, num=6, **options):
    return blanked_wrapper(bench.map(num, **options), blanker, [bench.detector])


@pytest.mark.parametrize(
    ("flown", "options", "acquisitions"),
    [(False, {}, 6), (False, {"per_pixel": repeating(most=1)}, 6), (True, {}, 6), (True, {"overlap": True}, 6)],
    ids=["pixel by pixel", "repeated", "flown", "overlapped"],
)
def test_the_beam_is_open_for_acquisitions_alone(session, RE, docs, flown, options, acquisitions):
    bench, blanker, seen = session(flown)
    RE(blanked(bench, blanker, **options))
    acquiring = f"det.{'_visit' if flown else 'trigger'}"
    assert [position for name, position in seen if name == acquiring] == [1.0] * acquisitions
    assert {position for name, position in seen if name != acquiring} == {0.0}
    assert blanker.position == 0.0
    assert docs.starts[0]["blanked_by"] == {"name": "blanker", "open": 1, "closed": 0}
    assert replay(docs.all).identical


def test_it_is_closed_where_a_pixel_fails_and_where_the_plan_does(session, RE, docs):
    bench, blanker, seen = session(script={(row, col): ["fail", "ok"] for row in range(8) for col in range(8)})
    RE(blanked(bench, blanker, 2))
    assert [position for name, position in seen if name == "det.trigger"] == [1.0] * 4
    assert {position for name, position in seen if name == "stage.set"} == {0.0}
    bench, blanker, _ = session(script={(row, col): ["raise"] for row in range(8) for col in range(8)})
    with pytest.raises(TypeError, match="a programming error"):
        RE(blanked(bench, blanker, 2))
    assert blanker.position == 0.0


def test_it_is_closed_in_a_pause_and_open_again_for_the_rest_of_a_flight(session, RE, docs):
    script = {(row, col): ["hold", "ok"] for row in range(8) for col in range(8)}
    bench, blanker, seen = session(True, script=script)
    threading.Thread(target=lambda: bench.detector.holding.wait(20) and RE.request_pause(), daemon=True).start()
    with pytest.raises(RunEngineInterrupted):
        RE(blanked(bench, blanker))
    assert blanker.position == 0.0
    bench.detector.going_on.set()
    RE.resume()
    assert [position for name, position in seen if name == "det._visit"] == [1.0] * 6
    assert docs.counts["primary"] == 6 and blanker.position == 0.0


def test_a_beam_that_does_not_open_fails_the_pixel(session, RE, docs):
    bench, blanker, _ = session()
    blanker.limits = (0.0, 0.5)
    with pytest.raises(Exception, match="blanker") as raised:
        RE(blanked(bench, blanker))
    assert not isinstance(raised.value, FailedStatus) and docs.counts.get("primary", 0) == 0


def test_a_blanked_plan_can_be_summarized(session, capsys):
    bench, blanker, _ = session()
    summarize_plan(blanked(bench, blanker))
    assert capsys.readouterr().out.count("blanker -> 0") == 2


@pytest.mark.parametrize(
    ("blanker", "detectors", "sentence"),
    [(SimulatedAxis, [], "blanker must be a device that can be set"), (None, None, "can be set, got NoneType None")],
)
def test_what_is_no_blanker_is_refused(RE, blanker, detectors, sentence):
    with pytest.raises(TypeError, match=sentence):
        RE(blanked_wrapper(iter(()), blanker, detectors))
