"""``bluesky-gp demo --instrument nion|ophyd-async``, as it is typed."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def demo(folder, *options, blocked=None):
    """Run the command; without `blocked`, a package."""
    code = f"import sys; sys.modules[{blocked!r}] = None; " if blocked else ""
    code += "from bluesky_gp.cli import main; main()"
    command = [sys.executable, "-c", code, "demo", "--catalog", str(folder), "--no-figure", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def needs(package):
    pytest.importorskip(package)


@pytest.mark.parametrize(
    ("instrument", "package", "target"),
    [("nion", "nion.usim_device", "eels_thickness"), ("ophyd-async", "ophyd_async.core", "spectrometer_loop_area")],
)
def test_the_experiment_runs_and_finds_the_best(tmp_path, instrument, package, target):
    needs(package)
    done = demo(tmp_path, "--instrument", instrument, "--num", "60", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["target"], result["num"], result["n_pixels"]) == (target, 60, 2500)
    assert result["rank"] <= 25


@pytest.mark.parametrize(
    ("instrument", "blocked", "extra"), [("nion", "nion", "nion"), ("ophyd-async", "ophyd_async", "ophyd-async")]
)
def test_a_missing_package_is_one_line_that_says_what_to_install(tmp_path, instrument, blocked, extra):
    done = demo(tmp_path, "--instrument", instrument, blocked=blocked)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith(f"pip install 'bluesky_gp[{extra}]'")


def test_a_sample_that_the_simulator_has_not_is_refused(tmp_path):
    needs("nion.usim_device")
    done = demo(tmp_path, "--instrument", "nion", "--sample", "eels")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "maps --target thickness of --sample flake" in done.stderr
