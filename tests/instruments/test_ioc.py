"""``bluesky-gp ioc`` and ``bluesky-gp demo --instrument epics`` as a user starts and ends them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ophyd import EpicsMotor, EpicsSignal
from soft_ioc import PORTS, SoftIOC

from bluesky_gp.cli.channel_access import is_free

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-m", "bluesky_gp.cli"]


def run(*arguments, **options):
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_what_there_is_and_ends_cleanly(number):
    options = ["--prefix", "lab:", "--shape", "5", "4", "--port", str(PORTS[2])]
    with subprocess.Popen(
        [*PROGRAM, "ioc", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as ioc:
        _until(lambda: not is_free("127.0.0.1", PORTS[2]), "the IOC")
        ioc.send_signal(number)
        said, complaints = ioc.communicate(timeout=20)
    assert said.startswith(
        f"ferroelectric: 5 x 4 pixels of 0.02 x 0.02 um, served at 127.0.0.1, port {PORTS[2]}; Ctrl-C"
    )
    assert "lab:y  lab:x   (limits " in said
    assert "lab:det:Acquire" in said
    assert f"export EPICS_CA_ADDR_LIST=127.0.0.1 EPICS_CA_AUTO_ADDR_LIST=NO EPICS_CA_SERVER_PORT={PORTS[2]}" in said
    assert (ioc.returncode, complaints) == (0, "")


def test_what_it_prints_connects():
    with subprocess.Popen(
        [*PROGRAM, "ioc", "--shape", "5", "4", "--port", str(PORTS[2])], stdout=subprocess.PIPE, text=True
    ) as ioc:
        said = [ioc.stdout.readline() for _ in range(10)]
        exported = dict(re.findall(r"(EPICS_\w+)=(\S+)", "".join(said)))
        code = "".join(
            line.strip() + "\n" for line in said if line.startswith("  ") and ("import" in line or " = " in line)
        )
        code += (
            "stage.wait_for_connection(); spectrometer.trigger().wait(20); print(stage.locate(), spectrometer.targets)"
        )
        try:
            answer = subprocess.run(
                [sys.executable, "-c", code], env={**os.environ, **exported}, capture_output=True, text=True, timeout=60
            )
        finally:
            ioc.terminate()
    assert answer.returncode == 0, answer.stderr
    assert "'readback': (0.0, 0.0)" in answer.stdout
    assert "'loop_area': " in answer.stdout


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux' list of sockets")
def test_nothing_outside_this_machine_can_reach_it():
    with SoftIOC("--prefix", "lab:", port=PORTS[2]) as ioc:
        assert _addresses(ioc.process.pid) == {"0100007F"}  # 127.0.0.1


def _addresses(pid):
    """Local addresses of the sockets that a process has, as Linux writes them."""
    names = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    own = {name[8:-1] for name in names if name.startswith("socket:[")}
    rows = [line.split() for kind in ("tcp", "udp", "tcp6", "udp6") for line in _lines(f"/proc/net/{kind}")]
    return {row[1].split(":")[0] for row in rows if row[9] in own}


def _lines(path):
    return Path(path).read_text().splitlines()[1:] if Path(path).exists() else []


def test_it_ends_with_the_process_that_started_it():
    ioc = SoftIOC("--prefix", "lab:", port=PORTS[2]).start()
    ioc.process.stdin.close()
    assert ioc.process.wait(20) == 0


def test_a_port_in_use_is_refused_in_one_line():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", PORTS[2]))
        refused = run("ioc", "--port", PORTS[2])
    assert refused.returncode == 2
    assert refused.stderr == (
        f"bluesky-gp ioc: 127.0.0.1, port {PORTS[2]} is in use, by another IOC perhaps: choose one with --port\n"
    ).replace("bluesky-gp", refused.stderr.partition(" ioc:")[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sample", "nowhere.npz"], "there is no nowhere.npz"),
        (["--sample", "nowhere.npz", "--shape", "4", "4"], "--shape is for synthetic samples"),
        (["--step", "0", "1"], "a step of zero puts all pixels in one place"),
    ],
)
def test_a_wrong_value_is_one_line(options, message):
    refused = run("ioc", "--port", PORTS[2], *options)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "blocked"),
    [(["ioc", "--port", str(PORTS[2])], "caproto"), (["demo", "--instrument", "epics"], "caproto"),
     (["demo", "--instrument", "epics"], "epics")],
)  # fmt: skip
def test_a_missing_package_is_one_line_that_says_what_to_install(command, blocked):
    code = f"import sys; sys.modules[{blocked!r}] = None; from bluesky_gp.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "pip install 'bluesky_gp[epics]'" in line


def test_a_plain_motor_and_plain_signals_work_with_it():
    with SoftIOC("--shape", 5, 4, "--velocity", 0, "--prefix", "lab:", port=PORTS[2]):
        motor = EpicsMotor("lab:x", name="x")
        counter, acquire, spectrum = (
            EpicsSignal(f"lab:det:{suffix}", name=suffix) for suffix in ("ArrayCounter_RBV", "Acquire", "Spectrum_RBV")
        )
        motor.wait_for_connection(timeout=20)
        assert motor.limits == pytest.approx((-0.032, 0.092))
        assert motor.egu == "um"
        motor.move(0.04, wait=True, timeout=10)
        assert motor.position == 0.04
        acquire.put(1, wait=True, use_complete=True)  # put completion: back when the spectrum is there
        assert counter.get() == 1
        assert np.isfinite(spectrum.get()).all()
        for device in (motor, counter, acquire, spectrum):
            device.destroy()


def test_a_measured_sample_is_served_too(tmp_path):
    spectra = np.random.default_rng(0).normal(size=(4, 3, 16))
    np.savez(tmp_path / "map.npz", spectra=spectra, axis=np.arange(16.0))
    with SoftIOC("--sample", tmp_path / "map.npz", "--prefix", "lab:", "--velocity", 0, port=PORTS[2]):
        motor = EpicsMotor("lab:y", name="y")
        acquire, spectrum = (EpicsSignal(f"lab:det:{suffix}", name=suffix) for suffix in ("Acquire", "Spectrum_RBV"))
        motor.wait_for_connection(timeout=20)
        motor.move(0.04, wait=True, timeout=10)
        acquire.put(1, wait=True, use_complete=True)
        assert np.array_equal(spectrum.get(), spectra[2, 0])
        for device in (motor, acquire, spectrum):
            device.destroy()


def test_the_demonstration_runs_over_epics_and_finds_what_it_finds_in_simulation(tmp_path):
    found = {}
    for instrument in ("simulated", "epics"):
        arguments = [
            "--num",
            60,
            "--instrument",
            instrument,
            "--catalog",
            tmp_path / instrument,
            "--no-figure",
            "--json",
        ]
        done = run("demo", *arguments)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        found[instrument] = json.loads(done.stdout)
    for key in ("best_pixel", "best_measured", "num", "n_failed", "units"):
        assert found["epics"][key] == found["simulated"][key]


def test_ctrl_c_ends_the_demonstration_and_its_ioc(tmp_path):
    command = [*PROGRAM, "demo", "--instrument", "epics", "--catalog", str(tmp_path), "--no-figure"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        _until(lambda: _children(demo.pid), "the IOC of the demonstration")
        (ioc,) = _children(demo.pid)
        _until(lambda: list(tmp_path.rglob("*.jsonl")), "a journal")
        time.sleep(1.0)
        demo.send_signal(signal.SIGINT)
        _, complaints = demo.communicate(timeout=60)
    assert demo.returncode == 130, complaints
    assert complaints.splitlines()[-1] == "stopped"
    assert not Path(f"/proc/{ioc}").exists()


def _children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _until(condition, what, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.05)
