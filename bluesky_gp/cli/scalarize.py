"""``bluesky-gp scalarize``: the map that a scalarizer makes of a file of spectra."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from bluesky_gp.cli.targets import HELP, SIGNAL_HELP, chosen_target, sample_of
from bluesky_gp.panels import with_units
from bluesky_gp.typing import Floats
from bluesky_gp.units import rounded

if TYPE_CHECKING:
    from bluesky_gp.cli.target_map import TargetMap
    from bluesky_gp.devices.sim import Sample
    from bluesky_gp.grid import PixelGrid
    from bluesky_gp.protocols import Scalarizer


def _list(context: click.Context, _: click.Parameter, asked: bool) -> None:
    """Print what there is by name, and end."""
    if not asked:
        return
    from bluesky_gp.scalarizers import SCALARIZERS

    for name, factory in SCALARIZERS.items():
        summary = (factory.__doc__ or "").strip().partition("\n")[0]
        click.echo(f"{name:<18} {summary.partition(':math:')[0].rstrip(' :,')}")
    context.exit()


@click.command()
@click.argument("source", metavar="FILE")
@click.option("--target", help=f"{HELP}  [default: what suits the file]")
@click.option("--signal", help=SIGNAL_HELP)
@click.option("--minimize", is_flag=True, help="Smaller is better.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Figure.  [default: NAME-TARGET.png]")
@click.option("--no-figure", is_flag=True, help="Make no figure.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="The map as numbers, an .npz file.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else.")
@click.option(
    "--list",
    "listed",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_list,
    help="Print the names of the scalarizers.",
)
def scalarize(
    source: str,
    target: str | None,
    signal: str | None,
    minimize: bool,
    out: Path | None,
    no_figure: bool,
    save: Path | None,
    as_json: bool,
) -> None:
    """Draw the map that a target makes of the spectra in FILE, and say where it fails.

    FILE is an .npz file, one of HyperSpy (.hspy) or of a microscope (.dm3, .dm4, .emd, .bcf...), a USID or NSID file
    (.h5), or "ferroelectric" or "eels" for the synthetic samples.
    """
    try:
        sample = sample_of(source, signal)
        found = _mapped(sample, source, target, minimize=minimize, quiet=as_json)
        result = found.to_dict()  # raises where the target fails everywhere: there is nothing to draw
        path = None if no_figure else _draw(found, sample, out or Path(f"{Path(source).stem}-{found.target}.png"))
        if save is not None:
            _save(found, save)
    except (ValueError, TypeError, OSError, ImportError) as error:
        raise click.UsageError(str(error)) from error
    result |= {"figure": path and str(path), "saved": save and str(save)}
    if as_json:
        click.echo(json.dumps(result, allow_nan=False))
    else:
        _report(result)


def _mapped(sample: "Sample", source: str, target: str | None, *, minimize: bool, quiet: bool) -> "TargetMap":
    from bluesky_gp.cli.target_map import TargetMap
    from bluesky_gp.scalarizers import get_scalarizer, to_mapping, units_of

    name, described, _ = chosen_target(sample, source, target)
    scalarizer = get_scalarizer(described)
    values, reasons = _evaluated(sample, scalarizer, quiet=quiet)
    return TargetMap(
        values=values,
        grid=_grid(sample),
        source=source,
        target=name,
        units=units_of(scalarizer, sample.spectrum_units, sample.axis_units),
        scalarizer=to_mapping(scalarizer),
        reasons=reasons,
        axis=sample.axis,
        axis_label=with_units(sample.axis_name, sample.axis_units),
        spectrum_label=sample.spectrum_units,
        maximize=not minimize,
    )


def _evaluated(sample: "Sample", scalarizer: "Scalarizer", *, quiet: bool) -> tuple[Floats, dict[str, int]]:
    """Return the map, and why pixels of it failed."""
    from rich.console import Console
    from rich.progress import track

    from bluesky_gp.scalarizers import evaluate

    errors = Console(stderr=True)
    pixels = track(
        list(np.ndindex(sample.shape)),
        "scalarizing",
        console=errors,
        transient=True,
        disable=quiet or not errors.is_terminal,
    )
    found = [evaluate(scalarizer, sample.spectrum(pixel), sample.axis) for pixel in pixels]
    values = np.array([value for value, _ in found]).reshape(sample.shape)
    return values, dict(Counter(reason for _, reason in found if reason).most_common())


def _grid(sample: "Sample") -> "PixelGrid":
    from bluesky_gp.grid import PixelGrid

    image = getattr(sample, "image", None)
    return PixelGrid(sample.shape) if image is None else image.grid


def _draw(found: "TargetMap", sample: "Sample", path: Path) -> Path:
    from bluesky_gp.cli.target_map import target_figure

    pixels = [found.pixel_at(share) for share in (0.0, 0.5, 1.0)]
    figure = target_figure(found, {pixel: sample.spectrum(pixel) for pixel in pixels})
    figure.suptitle(found.source)
    figure.savefig(path, dpi=150)
    return path


def _save(found: "TargetMap", path: Path) -> None:
    """Write the map, with what it is: ``rehearse --target target`` reads it."""
    about = found.to_dict() | {"grid": found.grid.to_mapping()}
    with path.open("wb") as stream:  # np.savez would add a suffix of its own
        np.savez(stream, target=found.values, meta=np.array(json.dumps(about)))


def _report(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, title=f"{result['target']} of {result['source']}", min_width=40)
    for name, value in _rows(result):
        table.add_row(name, value)
    console = Console(soft_wrap=True)
    console.print(table, markup=False)
    for kind in ("figure", "saved"):
        if result[kind]:
            console.print(f"{kind}: {result[kind]}", highlight=False, markup=False)


def _rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    units = f" {result['units']}" if result["units"] else ""
    low, high = result["axis"]
    *pixels, n_channels = result["shape"]
    position = ", ".join(f"{rounded(x)}" for x in result["best_position"])
    where = "" if result["position_units"] == "px" else f", at ({position}) {result['position_units']}"
    failed = [("failed pixels", f"{result['n_failed']} of {result['n_pixels']}")]
    failed += [("", f"{number}: {reason}") for reason, number in list(result["reasons"].items())[:3]]
    return [
        ("pixels", " x ".join(map(str, pixels))),
        ("spectrum", f"{n_channels} channels, {result['axis_label']} {rounded(low)} to {rounded(high)}"),
        ("scalarizer", _described(result["scalarizer"])),
        ("min, median, max", f"{', '.join(rounded(result[name]) for name in ('min', 'median', 'max'))}{units}"),
        ("best pixel", f"{tuple(result['best_pixel'])}: {rounded(result['best_value'])}{units}{where}"),
        *failed,
    ]


def _described(scalarizer: dict[str, Any]) -> str:
    """Return a scalarizer as ``--target`` takes it; of a spectrum to compare with only how long it is."""
    parts = [f"{key}={_text(value)}" for key, value in scalarizer.items() if key != "kind" and value not in (None, ())]
    return ":".join(filter(None, [str(scalarizer["kind"]), ",".join(parts)]))


def _text(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return "..".join(f"{v:g}" for v in value) if len(value) == 2 and np.ndim(value) == 1 else f"[{len(value)}]"
