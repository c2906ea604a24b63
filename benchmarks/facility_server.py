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
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, time
from typing import Any
from uuid import uuid4

import bluesky.plans as bp
import numpy as np
import psutil
from bluesky import RunEngine
from ophyd.sim import SynSignal
from tables import machine, table, write_section
from tiled.client import from_uri
from tiled.structures.core import Spec

from bluesky_gp.recording import Catalog, open_catalog

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


def filled(served: Served, name: str, n_runs: int) -> list[str]:
    """Make a container of so many runs; return their uids."""
    client = from_uri(served.url, api_key=served.key)
    runs = client.create_container(name, specs=[Spec("CatalogOfBlueskyRuns", "3.0")])
    uids = [str(uuid4()) for _ in range(n_runs)]
    for scan_id, uid in enumerate(uids, 1):
        start = {"uid": uid, "time": time(), "scan_id": scan_id, "plan_name": "count", "detectors": ["spectrometer"]}
        stop = {"uid": str(uuid4()), "time": time(), "run_start": uid, "exit_status": "success", "num_events": {}}
        runs.create_container(uid, metadata={"start": start, "stop": stop}, specs=[Spec("BlueskyRun", "3.0")])
    return uids


Work = Callable[[Catalog, list[str]], object]
WORKS: dict[str, Work] = {
    "`len(catalog)`": lambda catalog, _: len(catalog),
    "`catalog[-1]`": lambda catalog, _: catalog[-1],
    "the latest twenty": lambda catalog, _: [run.metadata for run in catalog.values()[-1:-21:-1]],
    "a run by its uid": lambda catalog, uids: catalog[uids[len(uids) // 2]],
    "by the first letters of it": lambda catalog, uids: catalog[uids[len(uids) // 2][:8]],
    "by its scan_id": lambda catalog, uids: catalog[len(uids) // 2],
}


def looked_at(served: Served, name: str, folder: Path, uids: list[str]) -> dict[str, float]:
    """Time opening, listing and finding, once each."""
    took, began = {}, perf_counter()
    with open_catalog(f"{served.url}/api/v1/metadata/{name}", api_key=served.key, journal=folder) as catalog:
        catalog.wait()
        took["opening"] = perf_counter() - began
        assert len(catalog) == len(uids) and catalog[-1].start["uid"] == uids[-1]
        for name, work in WORKS.items():
            began = perf_counter()
            work(catalog, uids)
            took[name] = perf_counter() - began
    return took


def sizes(served: Served, folder: Path, small: int, large: int, rounds: int) -> list[list[str]]:
    """Return rows: milliseconds with few and with many runs, and their ratio."""
    names = [f"of{n}" for n in (small, large)]
    uids = [filled(served, name, n) for name, n in zip(names, (small, large), strict=True)]
    places = [(name, folder / f"journal-{name}", own) for name, own in zip(names, uids, strict=True)]
    times = [[looked_at(served, *place) for place in places] for _ in range(rounds + 1)][1:]
    pairs = {name: [median(1e3 * pair[i][name] for pair in times) for i in (0, 1)] for name in times[0][0]}
    return [[name, f"{few:.0f}", f"{many:.0f}", f"{many / few:.2f}"] for name, (few, many) in pairs.items()]


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
