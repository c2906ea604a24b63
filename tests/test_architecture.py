"""The arrows of the house: who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NUMERICAL = (
    "grid protocols windows loops branches hysteresis edges lowloss xrays shapes "
    "threads kernels solvers covariance nearest vecchia trend posterior hyperparameters acquisition "
    "levels combined sampling knowledge integrated goals hypervolume novelty gradient acquisitions "
    "batch designs units forecast state rehearsal.leave_one_out outlook path diagnosis stopping model points "
    "description timing optimizer rehearsal.full_map"
).split()
PACKAGES = {"numpy", "scipy", "sklearn", "joblib", "threadpoolctl", *sys.stdlib_module_names}
FILES = {
    str(path.relative_to(ROOT)): path
    for top in ("bluesky_gp", "devices", "plans")
    for path in ROOT.glob(f"{top}/**/*.py")
}
TOGETHER = ("bluesky_gp/cli", "bluesky_gp/testing")  # what puts the Gaussian process, devices and plans together


def imports(path):
    """Full names of what a file imports, inside functions and for type checkers too."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    assert not any(node.level for node in froms), f"{path.name} imports relatively"
    return names + [f"{node.module}.{alias.name}" for node in froms for alias in node.names]


def ours(name, *modules):
    return any(f"{name}.".startswith(f"bluesky_gp.{module}.") for module in modules)


@pytest.mark.parametrize("place", range(len(NUMERICAL)), ids=NUMERICAL)
def test_a_numerical_file_imports_those_below_it_and_numerical_packages(place):
    for name in imports(FILES[f"bluesky_gp/{NUMERICAL[place].replace('.', '/')}.py"]):
        below = ours(name, *NUMERICAL[:place]) or name.partition(".")[0] in PACKAGES
        assert below or (NUMERICAL[place] == "protocols" and name.startswith("bluesky.protocols.")), name


@pytest.mark.parametrize("file", FILES)
def test_devices_plans_and_the_gaussian_process_do_not_know_each_other(file):
    folder = file.partition("/")[0]
    for name in imports(FILES[file]):
        assert name.partition(".")[0] not in ("devices", "plans"), name
        assert not ours(name, "testing") or file.startswith("bluesky_gp/testing"), name
        if folder == "devices" and name.startswith("bluesky_gp."):
            assert ours(name, "devices", "grid", "scalarizers", "files", "protocols", "status"), name
        if folder == "plans":
            assert not ours(name, "devices"), name
        if folder == "bluesky_gp" and not file.startswith(TOGETHER):
            assert not ours(name, "devices", "plans", "cli"), name


@pytest.mark.parametrize("file", FILES)
def test_only_the_command_line_and_the_default_axes_know_the_simulation(file):
    known = [name for name in imports(FILES[file]) if ours(name, "devices.sim")]
    if file == "devices/stage.py":
        assert known == ["bluesky_gp.devices.sim.devices.SimulatedAxis"]
    elif file not in ("devices/__init__.py", "devices/sim.py") and not file.startswith("bluesky_gp/cli"):
        assert not known


@pytest.mark.parametrize("module", ["bluesky_gp", "bluesky_gp.grid", "bluesky_gp.plans", "bluesky_gp.devices"])
def test_importing_a_part_loads_nothing_that_only_others_need(module):
    heavy = "{'tiled', 'matplotlib', 'dask', 'sklearn', 'databroker'}"
    code = f"import sys, {module}; print(*{heavy} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []
