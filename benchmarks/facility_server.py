"""One Tiled server on PostgreSQL: documents a second from 1 and from 4 instruments, and 20 against 2000 runs.

    python benchmarks/facility_server.py             # needs PostgreSQL; writes its section of docs/benchmarks.md

Instruments, server and database are processes of this machine. Each instrument measures a run of spectra of 1024
channels as fast as it can; the time is that from the first document until the catalog has the last, and every event is
read back. The 20 and the 2000 runs are in two containers of the server, which take turns. Of them there are start and
stop documents only, for these are what is opened, listed and searched.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from time import time
from typing import Any

import bluesky.plans as bp
import numpy as np
import psutil
from bluesky import RunEngine
from looking_up import beside, filled, looked_at
from ophyd.sim import SynSignal
from tables import machine, table, write_section
from tiled.client import from_uri
from tiled.structures.core import Spec

from bluesky_gp.recording import open_catalog

sys.path[0] = str(Path(__file__).parents[1] / "tests")  # for this file's own folder: `facility` is a file there

from facility.postgresql import Cluster, Served, execute  # noqa: E402

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
CHANNELS = 1024


def spectra(name: str) -> SynSignal:
    """Return a detector of random spectra."""
    return SynSignal(name=name, func=lambda: np.random.default_rng().normal(size=CHANNELS))


def instrument(place: str, name: str, num: int, folder: str) -> None:
    """Measure one run when a line comes; print when it began, when the catalog had it, its documents, what is there."""
    with open_catalog(place, journal=folder) as catalog:
        RE = RunEngine({"instrument": name}, context_managers=[])  # noqa: N806
        sent: list[Any] = []
        RE.subscribe(catalog.writer)
        RE.subscribe(lambda _, doc: sent.append(doc["data"][name]), "event")
        print("ready", flush=True)
        sys.stdin.readline()
        began = time()
        (uid,) = RE(bp.count([spectra(name)], num))
        catalog.flush(600)
        ended = time()
        there = np.array_equal(catalog[uid].primary.read()[name], sent)
    print(json.dumps([began, ended, num + 3, there]))


def processor_seconds(process: psutil.Process) -> float:
    """Return what a process and its children have computed, those that have ended among them."""
    own = sum(process.cpu_times()[:4])
    return own + sum(sum(child.cpu_times()[:2]) for child in process.children(recursive=True))


def throughput(served: Served, cluster: Cluster, n_instruments: int, num: int) -> list[str]:
    """Return a row: what one server takes from so many instruments at once."""
    with tempfile.TemporaryDirectory() as folder:
        names = [f"spectrometer{n_instruments}{i}" for i in range(n_instruments)]
        command = [sys.executable, __file__, "--instrument", served.url]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        running = [subprocess.Popen([*command, name, str(num), f"{folder}/{name}"], **pipes) for name in names]
        assert [process.stdout.readline() for process in running if process.stdout] == ["ready\n"] * n_instruments
        servers = psutil.Process(served.process.pid), psutil.Process(cluster.pid)
        before = [processor_seconds(process) for process in servers]
        for process in running:
            print(file=process.stdin, flush=True)
        began, ended, documents, there = zip(*(json.loads(p.communicate()[0]) for p in running), strict=True)
        spent = [processor_seconds(process) - s for process, s in zip(servers, before, strict=True)]
    seconds, total = max(ended) - min(began), sum(documents)
    memory = servers[0].memory_info().rss / 2**20
    costs = [f"{1e3 * s / total:.1f}" for s in spent]
    lost = "nothing" if all(there) else "EVENTS"
    return [str(n_instruments), str(total), f"{seconds:.1f}", f"{total / seconds:.0f}", *costs, f"{memory:.0f}", lost]


def filled_on(served: Served, name: str, n_runs: int) -> list[str]:
    """Make a container of so many runs on the server; return their uids."""
    client = from_uri(served.url, api_key=served.key)
    return filled(client.create_container(name, specs=[Spec("CatalogOfBlueskyRuns", "3.0")]), n_runs)


def sizes(served: Served, folder: Path, small: int, large: int, rounds: int) -> list[list[str]]:
    """Return rows: milliseconds with few and with many runs, and their ratio."""
    names = [f"of{n}" for n in (small, large)]
    uids = [filled_on(served, name, n) for name, n in zip(names, (small, large), strict=True)]
    places = [f"{served.url}/api/v1/metadata/{name}" for name in names]
    opening = [
        partial(open_catalog, place, api_key=served.key, journal=folder / f"journal-{name}")
        for place, name in zip(places, names, strict=True)
    ]
    times = [[looked_at(*pair) for pair in zip(opening, uids, strict=True)] for _ in range(rounds + 1)]
    return beside(times[1:])


def disk(served: Served) -> str:
    """Return the megabytes that the database and the arrays take."""
    (size,) = asyncio.run(execute(served.database, "select pg_database_size(current_database()) as bytes"))
    arrays = sum(512 * path.stat().st_blocks for path in served.folder.rglob("*"))
    return f"the database has {size['bytes'] / 2**20:.0f} MB, the arrays {arrays / 2**20:.0f} MB"


def main(events: int, small: int, large: int, rounds: int) -> None:
    """Measure, print, and write the section."""
    cluster = Cluster()
    try:
        with tempfile.TemporaryDirectory() as folder:
            served = Served(Path(folder) / "arrays", cluster.new())
            try:
                os.environ["TILED_API_KEY"] = served.key
                written = [throughput(served, cluster, n, events) for n in (1, 4)]
                after = disk(served)
                print(*written, after, sep="\n", flush=True)
                read = sizes(served, Path(folder), small, large, rounds)
            finally:
                served.end()
    finally:
        cluster.remove()
    text = (
        f"Made by `python benchmarks/facility_server.py --events {events} --large {large} --rounds {rounds}` "
        f"({machine()}; instruments, server and database share them, which had a load of {os.getloadavg()[1]:.0f} from "
        f"other work as well: read ratios, and processor time). {events} events of {CHANNELS} channels from each "
        "instrument, as fast as it can:\n\n"
    )
    head = [
        "instruments",
        "documents",
        "s",
        "documents/s",
        "server: CPU ms a document",
        "database",
        "server, MB",
        "lost",
    ]
    text += table(head, written) + f"\n\nThen {after}. Medians of {rounds} rounds, ms:\n\n"
    text += table(["", f"{small} runs", f"{large} runs", "ratio"], read)
    print(text)
    write_section(PAGE, "facility server", text)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--instrument"]:
        instrument(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
        raise SystemExit
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=400, help="of each instrument")
    parser.add_argument("--small", type=int, default=20, help="runs")
    parser.add_argument("--large", type=int, default=2000, help="runs")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    main(given.events, given.small, given.large, given.rounds)
