"""The rooms of the house and the arrows between them: who may import whom. docs/architecture.md draws them."""

import ast
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GROUND = "typing settings spelling protocols grid grid_settings units moves status priority plain_data packed html"
"""Every room may import them."""
ARROWS = {
    "gp": "",
    "acquisition": "gp",
    "optimizer": "gp acquisition overview",
    "overview": "gp masks",
    "recording": "",
    "files": "",
    "scalarizers": "files",
    "run": "recording scalarizers panels",
    "agent": "run masks scalarizers",
    "rehearsal": "gp acquisition optimizer panels",
    "replay": "recording run optimizer agent",
    "verify": "recording scalarizers run replay",
    "export": "run",
    "masks": "",
    "session": "",
    "panels": "",
    "plots": "run masks overview panels",
    "live": "recording run scalarizers panels",
    "devices": "scalarizers",
    "devices.sim": "devices scalarizers files",
    "devices.epics": "devices scalarizers",
    "devices.nion": "devices",
    "devices.ophyd_async": "devices devices.sim scalarizers",
    "devices.ioc": "devices devices.sim scalarizers",
    "view": "acquisition gp optimizer recording run agent verify scalarizers plots export",
    "remote": "recording run optimizer agent",
    "configured": "agent optimizer",
    "drift": "recording",
    "plans": "agent configured drift overview run",
    "testing": "optimizer plans",
    "cli": "*",
}
"""What each room may import beside itself and the ground; a room is a folder, or a file beside the folders."""

NUMERICAL = ("gp", "acquisition", "overview", "optimizer", "scalarizers", "grid", "typing", "plain_data")
PACKAGES = {
    "bluesky_gp",
    "numpy",
    "scipy",
    "sklearn",
    "joblib",
    "threadpoolctl",
    "lazy_loader",
    *sys.stdlib_module_names,
}


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in (("bluesky_gp",) * (parts[0] != "bluesky_gp") + parts) if part != "__init__")


FILES = {module_of(path): path for top in ("bluesky_gp", "devices", "plans") for path in ROOT.glob(f"{top}/**/*.py")}
ROOMS = {*ARROWS, *GROUND.split()}


def imports(path):
    """Full names of what a file imports, inside functions and for type checkers too."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    assert not any(node.level for node in froms), f"{path.name} imports relatively"
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return names + [f"{node.module}.{alias.name}" for node in froms for alias in node.names]


def room_of(name):
    """Return the room in which a name of ours lies, the deepest one; "" for the front door."""
    inside = name.removeprefix("bluesky_gp.")
    return max((room for room in ROOMS if f"{inside}.".startswith(f"{room}.")), key=len, default="")


def ours(module):
    return [name for name in imports(FILES[module]) if name.startswith("bluesky_gp.")]


def file_of(name):
    """Return the module that a name lies in; None for a name that a door hands on."""
    return name if name in FILES else name.rpartition(".")[0] if name.rpartition(".")[0] in FILES else None


@pytest.mark.parametrize("module", FILES)
def test_a_file_imports_what_the_arrows_of_its_room_allow(module):
    room = room_of(module)
    allowed = {room, *GROUND.split(), *ARROWS.get(room, "").split()}
    for name in ours(module):
        assert "*" in allowed or room_of(name) in allowed, f"{room or 'bluesky_gp'} -> {room_of(name)}: {name}"


@pytest.mark.parametrize("module", FILES)
def test_a_file_of_another_room_is_imported_through_the_door_of_that_room(module):
    for name in ours(module):
        room = room_of(name)
        within = f"{room_of(module)}.".startswith(f"{room}.")  # a room inside another knows its files
        through = name.rpartition(".")[0] == f"bluesky_gp.{room}" and name not in FILES
        assert not room or within or name == f"bluesky_gp.{room}" or through, name


def test_no_circle_is_closed_by_an_import_not_even_by_one_inside_a_function():
    graph = {module: {file_of(name) for name in ours(module)} - {None, module} for module in FILES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_no_circle_is_closed_by_the_arrows_of_the_rooms():
    TopologicalSorter({room: allowed.split() for room, allowed in ARROWS.items()}).prepare()


@pytest.mark.parametrize("module", [module for module in FILES if room_of(module) in NUMERICAL])
def test_a_numerical_file_imports_numerical_packages_only(module):
    for name in imports(FILES[module]):
        assert name.partition(".")[0] in PACKAGES, name


def test_every_folder_is_installed():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert declared == sorted(module for module, path in FILES.items() if path.name == "__init__.py")


@pytest.mark.parametrize("module", ["bluesky_gp", "bluesky_gp.grid", "bluesky_gp.plans", "bluesky_gp.devices"])
def test_importing_a_part_loads_nothing_that_only_others_need(module):
    heavy = "{'tiled', 'matplotlib', 'dask', 'sklearn', 'databroker'}"
    code = f"import sys, {module}; print(*{heavy} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []
