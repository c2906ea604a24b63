"""One queue server, one PostgreSQL and one Tiled server on it, for all tests of this folder that want them."""

import pytest
from facility.postgresql import PASSWORD, Cluster, Served
from facility.queue_server import QueueServer, wait_for

from bluesky_gp.cli.channel_access import free_ports

UNHURRIED = """
def unhurried(*arguments):
    yield from sleep(0.3)
    return (yield from one_pixel(*arguments))


patient = tolerant(unhurried, """
"""A run with "patient" pixels goes on for longer than a client needs to meddle with it, on any machine."""
FLOWN = """
from bluesky.preprocessors import run_decorator
from bluesky_gp.devices import SimulatedFlyer
from bluesky_gp.plans import declare_flyer, fly_batch
from bluesky_gp.protocols import Batch

flyer = SimulatedFlyer(SyntheticFerroelectric(shape=grid.shape), stage, scalarizers=["loop_area"], name="spectrometer")


def flown_list(detectors, stage, pixels, *, md=None):
    @run_decorator(md=md)
    def run():
        yield from declare_flyer(detectors[0])
        yield from fly_batch(detectors[0], Batch(grid, tuple(map(tuple, pixels))))

    return (yield from run())


def acquire(suggestions, actuators, sensors, md=None):
    return (yield from default_acquire(suggestions, actuators, sensors, md))


# What people may do"""
"""A detector that visits a list of points by itself, and a plan that has it do so: its events come in pages. And the
plan of bluesky-adaptive's runner, whose own types the manager cannot check."""
PUBLISHED = """RE = RunEngine()
RE.subscribe(Publisher("127.0.0.1:{port}"))"""
"""Documents go to bluesky's proxy as well, whether there is one or not."""
SMALL = {
    "from bluesky.plans import": "from bluesky.callbacks.zmq import Publisher\nfrom bluesky.plans import",
    "import count, grid_scan\n": "import count, grid_scan\nfrom bluesky_adaptive.plans import default_acquire\n",
    "# What people may do": FLOWN,
    "exposure=0.05": "exposure=0.01",
    "shape=(50, 50)": "shape=(12, 12)",
    "batch_size=10": "batch_size=4",
    "import mv\n": "import mv, sleep\n",
    "\npatient = tolerant(one_pixel, ": UNHURRIED,
}


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    (port,) = free_ports(1)
    changed = {**SMALL, "RE = RunEngine()": PUBLISHED.format(port=port)}
    server = QueueServer(tmp_path_factory.mktemp("queue"), changed=changed, publishes=port)
    permissions = server.startup / "user_group_permissions.yaml"
    permissions.write_text(permissions.read_text().replace(" patient]", " patient, flown_list, acquire]"))
    with server as running:
        yield running


@pytest.fixture
def api(server):
    """A client of a manager whose worker is there, whose queue is empty, and which knows no earlier run."""
    api = server.client()
    wait_for(lambda: answer(api), what="the manager")
    if not api.status()["worker_environment_exists"]:
        api.environment_open()
        wait_for(lambda: api.status(reload=True)["worker_environment_exists"], what="the worker")
        api.wait_for_idle(timeout=60)
    api.history_clear()
    yield api
    if api.status(reload=True)["worker_environment_exists"] and api.status()["re_state"] == "paused":
        api.re_abort()
    api.wait_for_idle(timeout=60)
    api.queue_clear()


@pytest.fixture(scope="session")
def cluster():
    started = Cluster()
    yield started
    started.remove()


@pytest.fixture
def database(cluster):
    """The URL of an empty database."""
    return cluster.new()


@pytest.fixture(scope="session")
def served(cluster, tmp_path_factory):
    """``bluesky-gp catalog serve`` on a database; what it says has no password."""
    server = Served(tmp_path_factory.mktemp("served") / "arrays", cluster.new())
    yield server
    server.end()
    assert PASSWORD not in server.said


def answer(api):
    """Return what the manager says; None while it starts."""
    try:
        return api.status(reload=True)
    except api.RequestTimeoutError:
        return None
