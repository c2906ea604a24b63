"""The page in a real browser: opened, slid through, clicked on, closed."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from view_runs import documents_of_run, keep
from viewing import viewing

from bluesky_gp.cli import cli
from bluesky_gp.view.followed import FollowedRun

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(kinds):
    with viewing(kinds[0]) as (url, _):
        yield url


def opened(page, uid):
    page.click(f"#runs button[data-uid='{uid}']")
    page.wait_for_selector(f"#runs button[data-uid='{uid}'][aria-current='true']")  # the latest run stood there before
    page.wait_for_selector(".told:not(:empty)")
    return page


def slide(page, number):
    page.evaluate(
        "n => { const s = document.querySelector('.time input'); s.value = n; s.dispatchEvent(new Event('input')); }",
        number,
    )
    page.wait_for_selector(f"article[data-shown='{number}']")


def colours(page, panel):
    """Return how many colours a canvas shows."""
    return (
        page.locator(".panel canvas")
        .nth(panel)
        .evaluate(
            "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
        )
    )


def test_runs_of_one_number_and_target_have_the_first_letters_of_their_uids(browse, url, kinds):
    page = browse(url)
    page.wait_for_selector("#runs button")
    for uid in (kinds[1]["usual"], kinds[1]["short"]):
        assert uid[:8] in page.inner_text(f"#runs button[data-uid='{uid}']")
    assert kinds[1]["constant"][:8] not in page.inner_text(f"#runs button[data-uid='{kinds[1]['constant']}']")


def test_a_run_is_opened_and_slid_through(browse, url, kinds):
    page = opened(browse(url), kinds[1]["usual"])
    page.wait_for_selector("article[data-shown='8']")
    assert "Decision 9 of 9: it knew 40 pixels and ended the run" in page.inner_text(".told")
    assert colours(page, 1) > 20
    slide(page, 0)
    assert "Decision 1 of 9: it knew 0 pixels and chose 5" in page.inner_text(".told")
    slide(page, 4)
    assert colours(page, 1) > 20 and colours(page, 3) > 20


def test_the_latest_run_is_opened_by_itself_and_the_address_stays_free_for_a_later_one(browse, url, kinds):
    page = browse(url)
    page.wait_for_selector(".told:not(:empty)")
    latest = page.locator("#runs button:not([disabled])").first
    assert latest.get_attribute("aria-current") == "true" and "run=" not in page.url
    page.locator("#runs button:not([disabled])").last.click()
    page.wait_for_selector("#runs button:not([disabled]):last-child[aria-current='true']")
    assert "run=" in page.url


def test_maps_have_numbers_along_their_axes_and_the_acquisition_is_named(browse, url, kinds):
    page = opened(browse(url), kinds[1]["usual"])
    page.wait_for_selector("article[data-shown='8']")
    panel = page.locator(".panel").nth(3)
    assert panel.locator(".rows span").first.inner_text() == panel.locator(".cols span").first.inner_text() == "0"
    assert "row" in panel.locator(".ticked b").inner_text() and "col" in panel.locator(".ticked em").inner_text()
    assert panel.locator(".means").inner_text() == "logarithm of expected improvement"
    ticks = "async n => (await import('./ticks.js')).ticks(n)"
    assert page.evaluate(ticks, 50) == [0, 10, 20, 30, 40] and page.evaluate(ticks, 3) == [0, 1, 2]


def test_numbers_of_a_batch_side_by_side_do_not_lie_on_one_another(browse, url):
    page = browse(url)
    boxes = page.evaluate(
        """async () => {
            const { placed } = await import('./numbers.js');
            const label = (row, col) => ({ cx: 5 + 10 * col, cy: 5 + 10 * row, width: 14, height: 10 });
            return placed([...Array(12).keys()].map((i) => label(Math.floor(i / 4), i % 4)), 5, 200, 200);
        }"""
    )
    for i, one in enumerate(boxes):
        assert 0 <= one["x"] <= 186 and 0 <= one["y"] <= 190
        for other in boxes[:i]:
            assert abs(one["x"] - other["x"]) >= 14 or abs(one["y"] - other["y"]) >= 10


def test_a_click_on_a_pixel_tells_why(browse, url, kinds):
    page = opened(browse(url), kinds[1]["usual"])
    slide(page, 4)
    page.locator(".panel canvas").nth(1).click(position={"x": 100, "y": 50})
    page.wait_for_selector(".why table")
    told = page.inner_text(".why")
    assert "Why here: pixel (" in told and "deviation" in told and "Measured pixels that speak for its mean" in told
    page.locator(".why td button").first.click()  # the measured pixel that weighs most
    page.locator(".why", has_text="attempted as number").wait_for()
    assert page.locator(".why svg").count() == 1


def pick_measured(page, folder, uid):
    """Click on the best pixel, which was measured."""
    record = FollowedRun(uid, lambda: next(folder.rglob(f"*{uid}.jsonl"))).record()
    y, x = (np.array(record.best_pixel) + 0.5) / record.grid.shape
    box = page.locator(".panel canvas").nth(1).bounding_box()
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_another_rule_is_asked_and_a_target_is_drawn_across_a_spectrum(browse, url, kinds):
    page = opened(browse(url), kinds[1]["usual"])
    page.wait_for_selector("li.verdict.good")
    slide(page, 4)
    page.locator(".instead select").first.select_option("uncertainty")
    page.click(".instead button")
    page.locator(".instead", has_text="are among the 5 that were chosen").wait_for()
    assert colours(page, 4) > 20 and colours(page, 5) > 20
    pick_measured(page, kinds[0], kinds[1]["usual"])
    page.wait_for_selector(".target svg")
    figure = page.locator(".target svg")
    figure.scroll_into_view_if_needed()
    box = figure.bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 60, steps=3)
    page.mouse.up()
    page.wait_for_selector(".target pre:not([hidden])")
    assert '"kind": "area", "window": [' in page.inner_text(".target pre")


def test_files_are_taken_and_a_second_run_stands_beside_on_one_scale(browse, url, kinds):
    page = opened(browse(url), kinds[1]["usual"])
    with page.expect_download() as found:
        page.click("text=pixels (CSV)")
    assert found.value.path().read_text().startswith("row,col,")
    page.get_by_label("a run beside").select_option(kinds[1]["failed"])
    page.wait_for_selector("article:nth-of-type(2)[data-shown]")
    scales = page.locator(".panel:nth-child(2) .bar").all_inner_texts()
    assert scales[0] == scales[1]


@pytest.mark.parametrize(
    "kind", ["short", "failed", "hopeless", "empty", "constant", "one axis", "three axes", "no maps"]
)
def test_a_run_of_every_kind_is_shown(browse, url, kinds, kind):
    page = opened(browse(url), kinds[1][kind])
    assert page.is_hidden("#banner")
    page.locator(".panel svg" if kind == "one axis" else ".panel canvas").first.wait_for()
    if kind == "three axes":
        page.wait_for_selector("article[data-shown]")
        page.locator("input[type=range]").nth(1).fill("2")
        assert colours(page, 1) > 20


def test_a_run_of_more_than_two_hundred_decisions_is_shown_and_slid_through(browse, tmp_path):
    documents = documents_of_run(num=220, shape=(15, 15), batch_size=1)
    uid = keep(tmp_path, documents, pending=True)  # as a session that died leaves it: the command takes it in
    shown = CliRunner().invoke(cli, ["show", uid, "--catalog", str(tmp_path), "--json"])
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.output)
    assert (told["n_measured"], told["n_iterations"]) == (220, 221)
    with viewing(tmp_path) as (url, _):
        page = opened(browse(url), uid)
        page.locator(".told", has_text="Decision 221 of 221: it knew 220 pixels").wait_for()
        for number in (110, 8, 215):
            slide(page, number)
            page.locator(".told", has_text=f"it knew {number} pixels").wait_for()
            assert colours(page, 1) > 20
        pick_measured(page, tmp_path, uid)
        page.wait_for_selector(".why table")


def test_an_old_token_is_refused_with_a_sentence(browse, url):
    page = browse(url.partition("#")[0] + "#token=yesterday")
    page.wait_for_selector("#banner:not([hidden])")
    assert "open the address that 'bluesky-gp view' printed last" in page.inner_text("#banner")


def test_the_token_is_not_left_in_the_address(browse, url):
    page = browse(url)
    page.wait_for_selector("#runs button")
    assert "token" not in page.url
    page.reload()
    page.wait_for_selector("#runs button")
    assert page.is_hidden("#banner")


def test_ten_pages_look_at_once(browse, url, kinds):
    pages = [opened(browse(url), kinds[1]["usual"]) for _ in range(10)]
    for page in pages:
        slide(page, 3)
    assert all(colours(page, 1) > 20 for page in pages)


def test_a_server_that_ends_is_said_and_leaves_the_runs_alone(browse, kinds):
    folder, uids = kinds
    before = {path: path.read_bytes() for path in folder.rglob("*.jsonl")}
    with viewing(folder) as (url, process):
        page = opened(browse(url), uids["usual"])
        process.kill()
        page.wait_for_selector("#banner:not([hidden])")
        assert "The run is not harmed" in page.inner_text("#banner")
    assert {path: path.read_bytes() for path in folder.rglob("*.jsonl")} == before
    assert FollowedRun(uids["usual"], lambda: next(folder.rglob(f"*{uids['usual']}.jsonl"))).record().stop
