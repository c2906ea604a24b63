"""A catalog of few runs beside one of many: what opening, listing and finding take."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import perf_counter, time
from typing import Any
from uuid import uuid4

from tiled.structures.core import Spec

from bluesky_gp.recording import Catalog

Work = Callable[[Catalog, list[str]], object]
WORKS: dict[str, Work] = {
    "`len(catalog)`": lambda catalog, _: len(catalog),
    "`catalog[-1]`": lambda catalog, _: catalog[-1],
    "the latest twenty": lambda catalog, _: [run.metadata for run in catalog.values()[-1:-21:-1]],
    "a run by its uid": lambda catalog, uids: catalog[uids[len(uids) // 2]],
    "by the first letters of it": lambda catalog, uids: catalog[uids[len(uids) // 2][:8]],
    "by its scan_id": lambda catalog, uids: catalog[len(uids) // 2],
}


def filled(runs: Any, n_runs: int) -> list[str]:
    """Put so many runs, start and stop documents only, into a container of Tiled; return their uids."""
    uids = [str(uuid4()) for _ in range(n_runs)]
    for scan_id, uid in enumerate(uids, 1):
        start = {"uid": uid, "time": time(), "scan_id": scan_id, "plan_name": "count", "detectors": ["spectrometer"]}
        stop = {"uid": str(uuid4()), "time": time(), "run_start": uid, "exit_status": "success", "num_events": {}}
        runs.create_container(uid, metadata={"start": start, "stop": stop}, specs=[Spec("BlueskyRun", "3.0")])
    return uids


def looked_at(opened: Callable[[], Catalog], uids: list[str]) -> dict[str, float]:
    """Time opening, listing and finding, s, once each."""
    took, began = {}, perf_counter()
    with opened() as catalog:
        catalog.wait()
        took["opening"] = perf_counter() - began
        assert len(catalog) == len(uids) and catalog[-1].start["uid"] == uids[-1]
        for name, work in WORKS.items():
            began = perf_counter()
            work(catalog, uids)
            took[name] = perf_counter() - began
    return took


def beside(times: Sequence[Sequence[Mapping[str, float]]]) -> list[list[str]]:
    """Return rows of rounds of few and of many: medians in milliseconds, and their ratio."""
    pairs = {name: [median(1e3 * pair[i][name] for pair in times) for i in (0, 1)] for name in times[0][0]}
    return [[name, f"{few:.0f}", f"{many:.0f}", f"{many / few:.2f}"] for name, (few, many) in pairs.items()]
