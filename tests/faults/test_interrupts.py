"""What ends a run from outside: devices are unstaged, it has a stop document, and the next run starts at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bluesky.plan_stubs as bps
import numpy as np
import pytest
import warm
from bluesky.utils import FailedStatus, RunEngineInterrupted
from ophyd.status import DeviceStatus

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.recording import open_catalog
from bluesky_gp.testing import ListOptimizer

PATIENCE = 20  # s; a test that waits that long has failed


def hanging(RE, bench, number):  # noqa: N803
    """Ask for a pause at the `number`-th exposure, which would never end."""
    trigger = bench.detector.trigger

    def triggered():
        status = trigger()
        if len(bench.detector.triggered) != number:
            return status
        threading.Thread(target=RE.request_pause, daemon=True).start()
        return DeviceStatus(bench.detector)

    bench.detector.trigger = triggered


def goes_on(bench, RE, docs, num=12):  # noqa: N803
    """The session is as it was: devices unstaged, the run ended, and the next one a success."""
    assert bench.detector.calls.count("stage") == bench.detector.calls.count("unstage")
    assert len(docs.stops) == len(docs.starts) == 1
    RE(bench.map(num))
    assert docs.stops[1]["exit_status"] == "success" and bench.optimizer.state.n_measured == num
    return docs.stops[0]


@pytest.mark.parametrize(("ending", "status"), [("abort", "abort"), ("halt", "abort"), ("stop", "success")])
def test_a_run_that_is_ended_in_the_middle_of_an_exposure(make_bench, RE, docs, ending, status):
    bench = make_bench(optimizer=PixelOptimizer)
    hanging(RE, bench, 13)
    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(40))
    getattr(RE, ending)()
    assert goes_on(bench, RE, docs)["exit_status"] == status


def test_an_aborted_run_is_whole_in_the_catalog(make_bench, RE, docs, tmp_path):
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        bench = make_bench(optimizer=PixelOptimizer)
        hanging(RE, bench, 13)
        with pytest.raises(RunEngineInterrupted):
            RE(bench.map(40))
        RE.abort("the beam is gone")
        stop = goes_on(bench, RE, docs)
        run = catalog[stop["run_start"]]
        assert run.stop["exit_status"] == "abort" and run.stop["num_events"] == stop["num_events"]
        assert len(run["primary"].read()["det_height"]) == 12


def test_ctrl_c_twice_pauses_at_once_and_the_process_ends_well(tmp_path):
    """A real SIGINT, in a real process: once while it exposes, once while the agent computes."""
    script = Path(__file__).parent.parent / "interrupted_session.py"
    command = [sys.executable, str(script), str(tmp_path / "ready")]
    process = warm.Process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for moment in ("exposing", "computing"):
            _wait_for(tmp_path / "ready" / moment, process)
            os.kill(process.pid, signal.SIGINT)
            time.sleep(0.3)  # bluesky takes two within 0.1 s for one
            os.kill(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    told = [line for line in output.splitlines() if line.endswith(("abort", "measured"))]
    assert told == ["exposing: paused, then abort", "computing: paused, then abort", "12 measured"]


def _wait_for(path, process):
    for _ in range(600):
        if path.exists() or process.poll() is not None:
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} never came")


def test_an_error_in_the_plan_around_ours_after_the_map(make_bench, RE, docs):
    bench = make_bench(optimizer=PixelOptimizer)

    def outer():
        yield from bench.map(12)
        raise ValueError("in the plan around it")

    with pytest.raises(ValueError, match="around it"):
        RE(outer())
    assert goes_on(bench, RE, docs)["exit_status"] == "success"


def test_an_error_in_the_users_acquisition_function(make_bench, RE, docs):
    def broken(mean, std, best, *, rng):
        if not broken.mended:  # type: ignore[attr-defined]
            raise ZeroDivisionError("in my acquisition")
        return std

    broken.mended = False  # type: ignore[attr-defined]
    bench = make_bench(optimizer=PixelOptimizer, acquisition=broken)
    with pytest.raises(FailedStatus, match="ZeroDivisionError: in my acquisition"):
        RE(bench.map(25))
    broken.mended = True  # type: ignore[attr-defined]
    stop = goes_on(bench, RE, docs, 25)
    assert stop["exit_status"] == "fail" and "in my acquisition" in stop["reason"]


def test_an_error_in_the_users_scalarizer_is_a_failed_pixel(make_bench, RE, docs):
    bench = make_bench(optimizer=PixelOptimizer)

    def fragile(spectrum, axis):
        if spectrum[0] > 9.9:
            raise ZeroDivisionError("in my scalarizer")
        return float(spectrum[0])

    bench.agent = GPAgent(bench.optimizer, target="det_height", scalarizer=fragile)
    bench.detector.describe = lambda: {
        "det_height": {"source": "t", "dtype": "array", "dtype_numpy": "<f8", "shape": [1]}
    }
    read = bench.detector.read
    bench.detector.read = lambda: {key: {**r, "value": [r["value"]]} for key, r in read().items()}
    RE(bench.map(64))
    assert (
        docs.data("gp_failures")[0]["gp_failures_reason"]
        == "det_height: the scalarizer raised ZeroDivisionError('in my scalarizer')"
    )
    assert bench.optimizer.state.n_failed == 1 and docs.stops[0]["exit_status"] == "success"


def test_a_programming_error_in_the_devices_read(make_bench, RE, docs):
    bench = make_bench(optimizer=PixelOptimizer)
    read = bench.detector.read
    bench.detector.read = lambda: 1 / 0 if len(bench.detector.triggered) == 13 else read()
    with pytest.raises(ZeroDivisionError):
        RE(bench.map(25))
    assert goes_on(bench, RE, docs)["exit_status"] == "fail"


class Slow(ListOptimizer):
    """Computes until it is released, from its second question on."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.questions, self.asked, self.release = 0, threading.Event(), threading.Event()

    def propose(self, state, num_points, *, pending=(), stopping=True):
        self.questions += 1
        if self.questions == 2:
            self.asked.set()
            assert self.release.wait(PATIENCE)
        return super().propose(state, num_points, pending=pending, stopping=stopping)


def test_an_answer_that_comes_after_its_run_changes_nothing(make_bench, RE, docs):
    bench = make_bench(optimizer=Slow)
    with ThreadPoolExecutor() as executor:  # which waits for the answer, as nothing else does
        bench.agent = GPAgent(bench.optimizer, target="det_height", executor=executor)
        in_background = lambda: bench.optimizer.asked.wait(PATIENCE) and RE.request_pause()  # noqa: E731
        threading.Thread(target=in_background, daemon=True).start()
        with pytest.raises(RunEngineInterrupted):
            RE(bench.map(40))
        RE.abort()
        learnt = bench.optimizer.state
        bench.optimizer.release.set()
    assert bench.optimizer.state is learnt and learnt.n_measured == 0
    bench.agent = GPAgent(bench.optimizer, target="det_height")
    goes_on(bench, RE, docs)


def test_a_plan_that_is_paused_between_batches_goes_on_with_the_same_batch(make_bench, RE, docs):
    whole, bench = make_bench(optimizer=PixelOptimizer), make_bench(optimizer=PixelOptimizer)
    RE(whole.map(30))
    full, docs.all[:] = docs.column("gp_proposed", "gp"), []
    paused = []

    def pausing(pixels):
        if len(paused) < 2:
            paused.append(pixels)
            yield from bps.pause()
        yield from bps.null()

    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(30, per_batch=pausing))
    with pytest.raises(RunEngineInterrupted):
        RE.resume()
    RE.resume()
    assert docs.column("gp_proposed", "gp") == full


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wall_clock_that_is_set_in_mid_run_changes_no_pixel(make_bench, RE, docs, monkeypatch, hours):
    true, shift = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: true() + shift[0])
    whole, bench = (make_bench(optimizer=PixelOptimizer) for _ in range(2))
    for axis in bench.stage.axes:
        axis.velocity = 100.0
    RE(whole.map(20))
    expected, docs.all[:] = docs.column("gp_proposed", "gp"), []

    def setting(pixels):
        shift[0] += 3600.0 * hours
        yield from bps.null()

    RE(bench.map(20, per_batch=setting))
    assert docs.counts["primary"] == 20 and "gp_failures" not in docs.counts
    assert [np.asarray(rows).tolist() for rows in docs.column("gp_proposed", "gp")] == [
        np.asarray(rows).tolist() for rows in expected
    ]
