"""SIGTERM and SIGHUP: a run ends as RE.abort() would end it, devices are unstaged, the process leaves in order."""

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import warm

TESTS = Path(__file__).parent.parent
PATIENCE = 60  # s


def until(true, process):
    end = time.monotonic() + PATIENCE
    while not true():
        assert process.poll() is None and time.monotonic() < end, "it never came"
        time.sleep(0.05)


def hearing_hangups():
    """Run in a new process: it hears SIGHUP though these tests may have been started by nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def started(folder, moment, **options):
    command = [sys.executable, str(TESTS / "signalled_session.py"), str(folder), moment]
    process = subprocess.Popen(command, **options) if options else warm.Process(command)
    until((folder / moment).exists, process)
    time.sleep(0.2)
    return process


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("moment", ["exposing", "computing"])
def test_a_signal_in_the_middle_of_a_run(tmp_path, name, moment):
    process = started(tmp_path, moment)
    process.send_signal(getattr(signal, name))
    assert process.wait(PATIENCE) == 128 + getattr(signal, name)
    told = (tmp_path / "told").read_text().splitlines()
    assert told[:3] == ["staged", "stop: abort, ", "unstaged"] and told[-1] == "left in order"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_while_the_run_is_paused(tmp_path, name):
    process = started(tmp_path, "paused")
    process.send_signal(getattr(signal, name))
    assert process.wait(PATIENCE) == 128 + getattr(signal, name)
    told = (tmp_path / "told").read_text().splitlines()
    assert told == ["staged", "interrupted, paused", "stop: abort, ", "unstaged", "left in order"]


def test_a_signal_when_nothing_runs(tmp_path):
    process = started(tmp_path, "idle")
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 128 + signal.SIGTERM
    told = (tmp_path / "told").read_text().splitlines()
    assert told == ["staged", "stop: success, ", "unstaged", "left in order"]


def test_signals_that_come_again_and_again_end_it_once(tmp_path):
    process = started(tmp_path, "exposing")
    for _ in range(5):
        process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 128 + signal.SIGTERM
    told = (tmp_path / "told").read_text().splitlines()
    assert told.count("stop: abort, ") == told.count("unstaged") == 1


def test_a_terminal_that_is_closed_in_the_middle_of_a_run(tmp_path):
    """What is printed then has nowhere to go, and bluesky prints while it aborts."""
    ours, its = pty.openpty()
    process = started(
        tmp_path, "exposing", stdin=its, stdout=its, stderr=its, start_new_session=True, preexec_fn=hearing_hangups
    )
    os.close(its)
    os.close(ours)
    process.send_signal(signal.SIGHUP)  # as the kernel does to the terminal's own session
    assert process.wait(PATIENCE) == 128 + signal.SIGHUP
    told = (tmp_path / "told").read_text().splitlines()
    assert told[:3] == ["staged", "stop: abort, ", "unstaged"]


def test_nohup_goes_on(tmp_path):
    process = started(tmp_path, "idle", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    process.terminate()
    assert process.wait(PATIENCE) == 128 + signal.SIGTERM


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_the_shipped_profile_ends_a_run_and_leaves(tmp_path, name):
    """IPython with the profile of the README, in a terminal; its catalog has the aborted run."""
    pytest.importorskip("IPython")
    shutil.copytree(TESTS.parent / "examples" / "profile_adaptive", tmp_path / "profile")
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "IPython", f"--profile-dir={tmp_path / 'profile'}", "--simple-prompt"]
    environment = {**os.environ, "BLUESKY_GP_CATALOG": str(tmp_path / "data")}
    environment["BLUESKY_GP_METADATA"] = str(tmp_path / "metadata")
    options = {"preexec_fn": hearing_hangups, "env": environment, "start_new_session": True}
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, **options)
    os.close(its)
    os.set_blocking(ours, False)
    shown = bytearray()

    def printed(words):
        try:
            shown.extend(os.read(ours, 65536))
        except OSError:  # nothing yet; or it has let go of the terminal
            pass
        return words in shown

    until(lambda: printed(b"the run measured last"), process)
    os.write(ours, b"RE(adaptive_map([spectrometer], stage, agent, num=2000))\n")
    until(lambda: printed(b"measured"), process)
    time.sleep(1.0)
    process.send_signal(getattr(signal, name))
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        printed(b"")
        time.sleep(0.05)
    assert process.poll() is not None, bytes(shown[-2000:]).decode()
    code = (
        "from bluesky_gp.recording import open_catalog\n"
        f"with open_catalog({str(tmp_path / 'data')!r}) as catalog:\n"
        "    print(catalog[-1].stop['exit_status'])"
    )
    answer = warm.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert answer.stdout.split() == ["abort"]
