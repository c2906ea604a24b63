"""A real Chromium, and the command whose page it opens."""

import os
import shutil

import pytest
from view_runs import KINDS, keep

CHROMIUM = os.environ.get("BLUESKY_GP_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def kinds(tmp_path_factory):
    """A folder with the journals of a run of every kind, and their uids."""
    folder = tmp_path_factory.mktemp("runs")
    return folder, {kind: keep(folder, make()) for kind, make in KINDS.items()}


@pytest.fixture(scope="module")  # no longer: playwright has an event loop in this thread, which others need
def chromium():
    """A browser, or the reason why there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium: install Debian's, or name one in BLUESKY_GP_CHROMIUM")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium):
    """Open pages, in whose consoles nothing may go wrong."""
    pages, wrong = [], []

    def open_page(url):
        page = chromium.new_context(viewport={"width": 1400, "height": 1000}).new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.set_default_timeout(180_000)
        page.goto(url)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert not wrong
