"""What the page costs, and how quick it is: up, a step of the slider, and the time a pixel with somebody looking.

    python benchmarks/page.py                        # needs chromium and playwright
    python benchmarks/page.py --large FOLDER         # of a catalog whose latest run is the large one; made if missing

Times are wall clock. Beside each step stands the time of reading one event of the catalog in the same process, as a
measure of the computer; steps go to decisions in random order, none of which was looked at before. The time a pixel is
of pairs of runs that take turns, with a browser on the page whose slider moves all the time and without.
"""

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any
from urllib.request import urlopen

from bluesky import RunEngine
from playwright.sync_api import sync_playwright

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import Catalog, open_catalog

_SLIDE = "n => { const s = document.querySelector('.time input'); s.value = n; s.dispatchEvent(new Event('input')); }"


def run(catalog: Catalog, size: int, num: int, exposure: float = 0.0) -> float:
    """Record a run; return its seconds a pixel."""
    grid = PixelGrid((size, size))
    stage = PixelStage(grid=grid, name="stage")
    sample = SyntheticFerroelectric(shape=grid.shape, seed=0)
    detector = SimulatedSpectrometer(sample, stage, scalarizers=["loop_area"], exposure=exposure, name="spectrometer")
    agent = GPAgent(PixelOptimizer(grid, "loop_area"), target="spectrometer_loop_area")
    engine = RunEngine({}, context_managers=[])
    engine.subscribe(catalog.writer)
    began = perf_counter()
    engine(adaptive_map([detector], stage, agent, num=num))
    return (perf_counter() - began) / num


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, float]]:
    """Run ``bluesky-gp view``; yield its address, and how long it took until the page was there."""
    began = perf_counter()
    command = [sys.executable, "-m", "bluesky_gp.cli", "view", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        found = re.search(r"http\S+", server.stdout.readline() if server.stdout else "")
        assert found is not None
        with urlopen(found.group().partition("#")[0]) as page:  # noqa: S310
            page.read()
        yield found.group(), perf_counter() - began
        server.terminate()


@contextmanager
def looking(url: str) -> Iterator[Any]:
    """Open the latest run in a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(url)
        page.click("#runs button:not([disabled])")
        page.wait_for_selector("article[data-shown]", timeout=60_000)
        yield page
        browser.close()


def step(page: Any, number: int) -> float:
    """Move the slider, and wait until that decision's maps, or what stands for them, are drawn; return the seconds."""
    began = perf_counter()
    page.evaluate(_SLIDE, number)
    page.wait_for_selector(f"article[data-shown='{number}']")
    return perf_counter() - began


def of_one_event(folder: Path) -> float:
    """Time reading one event of the latest run of a catalog."""
    with open_catalog(folder) as catalog:
        latest = catalog[-1]
        times = []
        for _ in range(5):
            began = perf_counter()
            latest["primary"].base["internal"].read().iloc[:1]
            times.append(perf_counter() - began)
    return median(times)


def slider(folder: Path, name: str, steps: int = 25) -> None:
    """Print how long the page takes to be up, and steps of the slider."""
    event = of_one_event(folder)
    with serving(folder) as (url, up), looking(url) as page:
        sleep(3.0)
        last = int(page.get_attribute(".time input", "max"))
        random.seed(0)
        times = sorted(step(page, n) for n in random.sample(range(last), min(steps, last)))
    worst = quantiles(times, n=20)[-1]
    print(
        f"{name:12}{last + 1:11}{up:9.2f}{1e3 * median(times):13.0f}{1e3 * worst:11.0f}"
        f"{1e3 * event:11.1f}{median(times) / event:9.1f}",
        flush=True,
    )


def burden(folder: Path, pairs: int, num: int) -> None:
    """Print the time a pixel with the page open, a browser on it and the slider moving, over the time without."""
    with open_catalog(folder) as catalog:
        run(catalog, 50, 30, 0.05)
        on, off = [], []
        for i in range(pairs):
            for looked_at in (True, False) if i % 2 else (False, True):
                if looked_at:
                    with sliding(folder):
                        on.append(run(catalog, 50, num, 0.05))
                else:
                    off.append(run(catalog, 50, num, 0.05))
    ratio = median(one / other for one, other in zip(on, off, strict=True))
    print(f"a pixel of 50 ms: {1e3 * median(off):.1f} ms, looked at {1e3 * median(on):.1f} ms, ratio {ratio:.3f}")


@contextmanager
def sliding(folder: Path) -> Iterator[None]:
    """Have a browser slide through the latest run, four times a second."""
    over, there = Event(), Event()

    def slide() -> None:
        with serving(folder) as (url, _), looking(url) as page:
            there.set()
            while not over.wait(0.25):
                step(page, random.randint(0, int(page.get_attribute(".time input", "max"))))  # noqa: S311

    thread = Thread(target=slide)
    thread.start()
    there.wait(60.0)
    try:
        yield
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", type=Path, help="folder of a catalog with a run of 512 x 512 pixels")
    parser.add_argument("--num", type=int, default=150, help="pixels a run, where pairs are timed")
    parser.add_argument("--pairs", type=int, default=7, help="pairs of runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        small, large = Path(made) / "small", options.large or Path(made) / "large"
        with open_catalog(small) as catalog:
            run(catalog, 50, 410)
        if not large.exists():
            with open_catalog(large) as catalog:
                run(catalog, 512, 2010)
        print(f"{'pixels':12}{'decisions':>11}{'s to up':>9}{'ms a step':>13}{'95 %':>11}{'ms event':>11}{'ratio':>9}")
        slider(small, "50 x 50")
        slider(large, "512 x 512")
        burden(small, options.pairs, options.num)
