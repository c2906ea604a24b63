import gc
import subprocess
import sys
import threading
import weakref
from concurrent.futures import Future

import pytest
from bluesky.protocols import Status

from bluesky_gp.status import DaemonExecutor, FutureStatus, finished


@pytest.fixture
def future():
    return Future()


@pytest.fixture
def status(future):
    return FutureStatus(future, name="gp")


def test_it_is_a_bluesky_status(status):
    assert isinstance(status, Status)


def test_it_is_done_when_the_future_is(future, status):
    assert not status.done and not status.success
    future.set_result(1)
    assert status.done and status.success and status.exception() is None


def test_callbacks_are_called_with_the_status_once_it_is_done(future, status):
    called = []
    status.add_callback(called.append)
    assert called == []
    future.set_result(1)
    assert called == [status]


def test_a_callback_added_afterwards_is_called_at_once(future, status):
    future.set_result(1)
    called = []
    status.add_callback(called.append)
    assert called == [status]


def test_what_was_computed_is_freed_with_its_future_though_a_callback_knows_the_status():
    class Answer:
        pass

    future, answer, statuses = Future(), Answer(), []
    statuses.append(FutureStatus(future, name="gp"))
    statuses[0].add_callback(lambda _: statuses)
    future.set_result(answer)
    freed = weakref.ref(answer)
    gc.disable()
    try:
        statuses.clear()
        del future, answer
        assert freed() is None
    finally:
        gc.enable()


def test_a_failed_future_is_a_failed_status_that_names_the_device_and_the_error(future, status):
    future.set_exception(ValueError("no such kernel"))
    assert status.done and not status.success
    assert isinstance(status.exception(), ValueError)
    assert repr(status) == "<FutureStatus of gp: failed, ValueError: no such kernel>"


def test_a_cancelled_future_counts_as_failed(future, status):
    future.cancel()
    assert status.done and not status.success
    assert isinstance(status.exception(), Exception)
    assert repr(status) == "<FutureStatus of gp: cancelled>"


def test_asking_for_the_error_of_what_is_still_running_times_out(status):
    with pytest.raises(TimeoutError):
        status.exception(timeout=0.01)
    assert repr(status) == "<FutureStatus of gp: running>"


def test_a_finished_status_has_ended_well():
    assert finished("gp").done and finished("gp").success
    assert repr(finished("gp")) == "<FutureStatus of gp: done>"


def test_the_executor_hands_over_results_and_errors_of_every_kind():
    executor = DaemonExecutor()
    assert executor.submit(pow, 2, 3).result(10) == 8
    assert isinstance(executor.submit(int, "x").exception(10), ValueError)
    assert isinstance(executor.submit(sys.exit, 3).exception(10), SystemExit)


def test_a_computation_that_hangs_does_not_keep_the_next_one_waiting():
    executor, never = DaemonExecutor(), threading.Event()
    hanging = executor.submit(never.wait)
    assert executor.submit(pow, 2, 3).result(10) == 8
    assert not hanging.done()
    never.set()


def test_a_computation_that_hangs_does_not_keep_the_process_alive():
    code = "import time; from bluesky_gp.status import DaemonExecutor; DaemonExecutor().submit(time.sleep, 600)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
