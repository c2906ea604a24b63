"""Make the pictures of the page in the browser; needs chromium and playwright.

python docs/make_screenshots.py
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from bluesky import RunEngine
from playwright.sync_api import sync_playwright

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import open_catalog

FIGURES = Path(__file__).parent / "figures"
SIZE = 50


def record(folder: Path, num: int, *, agents: list[GPAgent] | None = None, **options: Any) -> None:
    """Record a run of the published experiment."""
    grid = PixelGrid((SIZE, SIZE), step=(0.02, 0.02), units="um")
    stage = PixelStage(grid=grid, name="stage")
    detector = SimulatedSpectrometer(
        SyntheticFerroelectric(), stage, scalarizers=["loop_area"], exposure=0.02, name="spectrometer"
    )
    agent = GPAgent(PixelOptimizer(grid, "loop_area"), target="spectrometer_loop_area", units="V pm")
    if agents is not None:
        agents.append(agent)
    engine = RunEngine({}, context_managers=[])
    with open_catalog(folder) as catalog:
        engine.subscribe(catalog.writer)
        engine(adaptive_map([detector], stage, agent, num=num, **options))


@contextmanager
def page_of(folder: Path) -> Iterator[Any]:
    """Open the page of a catalog, its latest run, in a browser."""
    command = [sys.executable, "-m", "bluesky_gp.cli", "view", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        found = re.search(r"http\S+", server.stdout.readline() if server.stdout else "")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        page.set_default_timeout(300_000)  # ms, on a computer that does much else
        page.goto("" if found is None else found.group())
        page.click("#runs button:not([disabled])")
        page.wait_for_selector(".told:not(:empty)")
        page.add_style_tag(content="#place, #says { visibility: hidden }")  # where this was made says nothing
        yield page
        browser.close()
        server.terminate()


def move(page: Any, number: int) -> None:
    """Move the slider to a decision."""
    page.locator(".time input").fill(str(number))
    page.wait_for_selector(f"article[data-shown='{number}']")


def click(page: Any, panel: int, row: int, col: int) -> None:
    """Click on a pixel of a map."""
    page.mouse.click(*place(page, panel, row, col))


def place(page: Any, panel: int, row: int, col: int) -> tuple[float, float]:
    """Return where a pixel is on the screen."""
    box = page.locator(".panel canvas").nth(panel).bounding_box()
    return box["x"] + (col + 0.5) / SIZE * box["width"], box["y"] + (row + 0.5) / SIZE * box["height"]


def afterwards(folder: Path) -> None:
    """Picture a run that has ended: a decision and a pixel of it, then what the cards below tell."""
    with page_of(folder) as page:
        page.wait_for_selector("article[data-shown]")
        move(page, 20)
        click(page, 1, 19, 27)  # the best
        page.wait_for_selector(".why svg")
        page.screenshot(path=FIGURES / "page.png")
        page.wait_for_selector("li.verdict")
        page.locator(".instead select").first.select_option("ucb")
        page.click(".instead button")
        page.wait_for_selector(".instead .panel")
        draw_window(page)
        page.wait_for_selector(".target pre:not([hidden])")
        for name in ("bill", "instead", "target"):
            page.locator(f".card.{name}").screenshot(path=FIGURES / f"page-{name}.png")


def draw_window(page: Any) -> None:
    """Draw a window across the spectrum of the picked pixel."""
    figure = page.locator(".target svg")
    figure.scroll_into_view_if_needed()
    box = figure.bounding_box()
    page.mouse.move(box["x"] + 0.35 * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60, steps=3)
    page.mouse.up()


def live(folder: Path) -> None:
    """Picture hands on a run that goes on, a batch of which waits in review."""
    agents: list[GPAgent] = []
    session = Thread(target=record, args=(folder, 410), kwargs={"agents": agents, "review": True})
    session.start()
    with page_of(folder) as page:
        for number in range(4):
            page.locator(".told", has_text=f"Decision {number + 1} of").wait_for()
            page.locator(".review button[data-action='agree']").click()
        page.locator(".told", has_text="Decision 5 of").wait_for()
        page.fill("input[placeholder='your name']", "jane")
        page.click("button[data-draws='polygon']")
        for corner in ((2, 3), (4, 20), (15, 14)):
            click(page, 1, *corner)
        page.click("button[data-draws='polygon']")
        page.click("button[data-action='forbid']")
        page.locator(".hands li", has_text="jane: forbid").wait_for()
        page.locator(".card.hands").screenshot(path=FIGURES / "page-hands.png")
        page.click("button[data-action='finish']")
    session.join()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        record(Path(made) / "data", 410)
        afterwards(Path(made) / "data")
        live(Path(made) / "live")
