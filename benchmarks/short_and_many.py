"""A catalog in a folder: what a short run costs, and 20 against 2000 runs.

    python benchmarks/short_and_many.py        # writes its section of docs/benchmarks.md

Short runs, `count` of three spectra of 1024 channels, with nothing subscribed, with journal and catalog and with
`TiledWriter`, in turns; what a run leaves to be done while the next is measured is part of the next one's time. Then
two folders of few and of many runs, start and stop documents only, for these are what is opened, listed and searched,
and `bluesky-gp runs` on each, the whole process.
"""

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import bluesky.plans as bp
from bluesky import RunEngine
from looking_up import beside, filled, looked_at
from plan import nothing
from recording import Detector, journal_and_catalog, tiled_writer_by_default
from tables import machine, table, write_section

from bluesky_gp.recording import open_catalog

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
RECORDINGS = {
    "nothing": nothing,
    "journal and catalog": journal_and_catalog,
    "`TiledWriter()`": tiled_writer_by_default,
}


def short_runs(rounds: int) -> list[list[str]]:
    """Return rows: milliseconds of a short run with each subscriber, and how many times as long as with none."""
    times: dict[str, list[float]] = {name: [] for name in RECORDINGS}
    with ExitStack() as stack:
        engines = {name: engine(stack.enter_context(make())) for name, make in RECORDINGS.items()}
        for _ in range(rounds + 1):
            for name, RE in engines.items():  # noqa: N806
                began = perf_counter()
                RE(bp.count([Detector()], 3))
                times[name].append(1e3 * (perf_counter() - began))
    found = {name: median(each[1:]) for name, each in times.items()}
    return [[name, f"{ms:.1f}", f"{ms / found['nothing']:.1f}"] for name, ms in found.items()]


def engine(subscriber: Any) -> RunEngine:
    """Return a RunEngine with a subscriber, or none."""
    RE = RunEngine({}, context_managers=[])  # noqa: N806
    if subscriber is not None:
        RE.subscribe(subscriber)
    return RE


def few_and_many(folder: Path, small: int, large: int, rounds: int) -> list[list[str]]:
    """Return rows: milliseconds with few and with many runs, and their ratio."""
    places = [folder / f"of{n}" for n in (small, large)]
    uids = []
    for place, n in zip(places, (small, large), strict=True):
        with open_catalog(place) as catalog:
            uids.append(filled(catalog.client, n))
    times = []
    for _ in range(rounds + 1):
        pair = [looked_at(partial(open_catalog, place), own) for place, own in zip(places, uids, strict=True)]
        times.append([took | {"`bluesky-gp runs`": listed(place)} for took, place in zip(pair, places, strict=True)])
    return beside(times[1:])


def listed(place: Path) -> float:
    """Time the command that lists the runs, s."""
    began = perf_counter()
    command = [sys.executable, "-m", "bluesky_gp.cli", "runs", "--catalog", str(place)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - began


def main(short: int, small: int, large: int, rounds: int) -> None:
    """Measure, print, and write the section."""
    costs = table(["subscribed", "ms", "times as long"], short_runs(short))
    print(costs, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        looked = table(
            ["", f"{small} runs", f"{large} runs", "ratio"], few_and_many(Path(folder), small, large, rounds)
        )
    text = (
        f"Made by `python benchmarks/short_and_many.py` ({machine()}). A run of three events, medians of {short}:\n\n"
        f"{costs}\n\nA catalog in a folder, medians of {rounds} rounds, ms:\n\n{looked}"
    )
    print(text)
    write_section(PAGE, "short and many", text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", type=int, default=30, help="runs of three events with each subscriber")
    parser.add_argument("--small", type=int, default=20, help="runs")
    parser.add_argument("--large", type=int, default=2000, help="runs")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    main(given.short, given.small, given.large, given.rounds)
