"""The result of a rehearsal, as a table, a few sentences and the lines to paste."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bluesky_gp.rehearsal import COMPONENTS, NEAR, Check, ImageWorth, Reached, Rehearsal, Standing
from bluesky_gp.typing import Floats

_COLUMNS = (
    "",
    "map error:\nhalf, all",
    "best pixel:\npoints",
    "as good:\npoints",
    "top 1 %:\npoints",
    "regret:\nhalf, all",
    "enough,\nmap",
    "enough,\nmaximum",
)
_OF_SPECTRA = ("covered:\nhalf, all", "rarest 1 %:\nhalf, all")
WIDTH = 160
_FOR = {"both": "", "map": " for the map", "maximum": " for the maximum"}


def report(rehearsal: Rehearsal, checks: list[Check]) -> None:
    """Print it."""
    console = Console(width=WIDTH, soft_wrap=True)
    console.print(_table(rehearsal), markup=False)
    console.print("\n".join(("", *_sentences(rehearsal, checks), "")), markup=False, highlight=False)
    advice = rehearsal.recommended
    for line in advice.configuration.lines(rehearsal.full, advice.num) if rehearsal.learnable else ():
        console.print(f"    {line}", markup=False, highlight=False)


def _table(rehearsal: Rehearsal) -> Table:
    full, n = rehearsal.full, int(rehearsal.full.grid.allowed.sum())
    failed = f", {n - full.n_valid} failed" if full.n_valid < n else ""
    table = Table(
        title=f"{full.target}: {n} pixels{failed}; {len(rehearsal.seeds)} seeds of {rehearsal.num} points",
        caption="errors and regrets in standard deviations of the map; points: median (seeds that were there)",
        caption_justify="left",
    )
    for name in _COLUMNS if full.space is None else (*_COLUMNS, *_OF_SPECTRA):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    agents = {c.name for c in rehearsal.configurations}
    for place, standing in enumerate(rehearsal.standings.values()):
        table.add_row(*_row(standing, rehearsal.num), end_section=place == len(agents) - 1)
    return table


def _row(standing: Standing, num: int) -> list[str]:
    half = int(abs(standing.num - num / 2).argmin())
    return [
        standing.method,
        f"{standing.curve[half]:.2f}, {standing.curve[-1]:.2f}",
        *(_reached(reached) for reached in (standing.to_maximum, standing.to_near, standing.to_top)),
        f"{standing.regret[half]:.2f}, {standing.regret[-1]:.2f}",
        _points(standing.enough_for_map),
        _points(standing.to_near.most),
        *(() if standing.coverage is None else _covered(standing.coverage[[half, -1]])),
    ]


def _covered(coverage: Floats) -> tuple[str, str]:
    (half, _, half_rarest), (end, _, rarest) = coverage
    return f"{half:.0%}, {end:.0%}", f"{half_rarest:.2f}, {rarest:.2f}"


def _reached(reached: Reached) -> str:
    return f"{_points(reached.median)} ({reached.found}/{len(reached.points)})"


def _points(points: float | None) -> str:
    return "-" if points is None else f"{points:.0f}"


def _sentences(rehearsal: Rehearsal, checks: list[Check]) -> list[str]:
    if not rehearsal.learnable:
        return [_nothing(rehearsal), _seconds(rehearsal)]
    advice = rehearsal.recommended
    sentences = [_good_enough(rehearsal), _ending(rehearsal), _advice(rehearsal)]
    alone = rehearsal.wanting("maximum").recommended
    if rehearsal.goal == "both" and alone.enough and alone.num < 0.8 * advice.num:
        sentences += [f"For the maximum alone (--goal maximum): {alone.configuration.name} with {alone.num} points."]
    sentences += [_checked(check) for check in checks]
    sentences += [] if rehearsal.image_worth is None else [_image(rehearsal.image_worth)]
    sentences += [] if rehearsal.full.space is None else [_spectra(rehearsal)]
    return [*sentences, _seconds(rehearsal)]


def _nothing(rehearsal: Rehearsal) -> str:
    return (
        f"Nothing can be learnt: each pixel predicted from all others has an error of {rehearsal.floor:.2f}, the mean "
        f"of the map one of 1. No pixel says anything about another, so none can be left out, and only luck finds the "
        f"maximum: measure every pixel, or each of them for longer."
    )


def _good_enough(rehearsal: Rehearsal) -> str:
    said = f"Each pixel predicted from all others: error {rehearsal.floor:.2f}; no number of points gives less."
    good = rehearsal.required.level
    return f"{said} Good enough here is {good:.2f}." if good else said


def _ending(rehearsal: Rehearsal) -> str:
    n_pixels = int(rehearsal.full.grid.allowed.sum())
    if not rehearsal.required.level:
        shown = f"With {rehearsal.num} points the map shows no more than its mean, error {rehearsal.end:.2f}"
        return shown if rehearsal.num == n_pixels else f"{shown}: try more (--num)."
    if rehearsal.plateau:
        return "The last quarter of the points hardly changed the map: its plateau is reached."
    if rehearsal.num == n_pixels:
        return f"The map was still getting better at the last of its {n_pixels} pixels."
    return f"The map was still getting better at {rehearsal.num} points: try more (--num) if the map matters."


def _seconds(rehearsal: Rehearsal) -> str:
    return f"{rehearsal.cpu_seconds:.0f} CPU seconds."


def _advice(rehearsal: Rehearsal) -> str:
    advice, n_pixels = rehearsal.recommended, int(rehearsal.full.grid.allowed.sum())
    purpose = _FOR[rehearsal.goal]
    said = f"{advice.configuration.name} with {advice.num} points, {advice.num / n_pixels:.0%} of the map"
    gave = f"the maximum found in {advice.found} of {advice.n_seeds} seeds, map error {advice.error:.2f}"
    if advice.num == n_pixels:
        return (
            f"Every pixel is needed{purpose}: nothing is saved, and a raster scan gives the same. All of them: {gave}."
        )
    if advice.enough:
        return f"Recommended{purpose}: {said}. In the rehearsal, {gave}."
    return f"None was enough{purpose} within {rehearsal.num} points. The best was {said}: {gave}."


def _spectra(rehearsal: Rehearsal) -> str:
    """Say which method came nearest to the spectra that are unlike the others, with all points."""
    ends = {name: found.coverage[-1] for name, found in rehearsal.standings.items() if found.coverage is not None}
    nearest = min(ends, key=lambda name: float(ends[name][2]))
    share, distance, rarest = ends[nearest]
    return (
        f"Spectrum space, {COMPONENTS} principal components in spreads of the spectra: covered is what has a measured "
        f"spectrum within {NEAR}. All but the rarest 1 % were nearest to one with {nearest}: within {rarest:.2f}, on "
        f"the mean {distance:.2f}, {share:.0%} covered."
    )


def _image(worth: ImageWorth) -> str:
    """Say whether an overview image is worth taking."""
    used = f"it explained {worth.share:.0%} of the variance" if worth.share > 0.0 else "it was not used at the end"
    to = f"to a map error of {worth.error:.2f} {_median(worth.points, worth)} points with it and "
    to += f"{_median(worth.points_without, worth)} without"
    ratio = f"{worth.ratio:.2f} times as many"
    if len(worth.points) > 1:
        ratio += f" (between {worth.ratio / worth.margin:.2f} and {worth.ratio * worth.margin:.2f})"
    if worth.saves:
        return f"The image is worth taking: {to}, {ratio}; {used}."
    if worth.costs:
        return f"The image is not worth taking, the map is better without: {to}, {ratio}; {used}."
    return f"Whether the image is worth taking, these seeds do not tell (--seeds): {to}, {ratio}; {used}."


def _median(points: Sequence[int | None], worth: ImageWorth) -> str:
    """Return the median over the seeds; more than the budget, if half of them never got there."""
    middle = Reached(tuple(points)).median
    return f"more than {worth.num}" if middle is None else f"{middle:.0f}"


def _checked(check: Check) -> str:
    name, num, n = check.tried.configuration.name, check.tried.num, len(check.seeds)
    said = f"{name} with {num} points on {n} other seeds: found in {check.found}, map error {check.error:.2f}"
    return f"Checked: {said}. It holds." if check.holds else f"Did not hold: {said}."
