"""A target picked by hand: the map that it gives of the spectra measured so far, and the text for a device."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bluesky_gp.run import RunRecord, Spectra
from bluesky_gp.scalarizers import evaluate, get_scalarizer, units_of
from bluesky_gp.typing import Floats
from bluesky_gp.view.frames import Frame

if TYPE_CHECKING:
    from bluesky_gp.view.moments import Moment

KINDS = ("area", "centroid", "peak", "peak_position", "net_counts", "cosine")


def target_map(moment: "Moment", wish: Mapping[str, Any]) -> Frame:
    """Return the values that a target gives to the spectra of a run, and the mean of all pixels that follows.

    Parameters
    ----------
    moment : Moment
        Its kernel predicts the pixels between.
    wish : mapping
        A name, a kind and its parameters as `bluesky_gp.scalarizers.get_scalarizer` takes them; in place of the
        ``reference`` of "cosine" the flat index of a measured pixel, ``reference_pixel``.

    Raises
    ------
    ValueError
        If the run has no spectra, or the target cannot be made.
    """
    record = moment.record
    if record.spectra is None:
        raise ValueError(f"run {record.start['uid'][:8]} has no spectra that a target could be made from")
    name = str(wish.get("name") or wish.get("kind") or "target")
    if not name.isidentifier():
        raise ValueError(f"a target is named as a variable of Python is, with letters, digits and _, got {name!r}")
    described = _parameters(record, record.spectra, wish)
    scalarizer = get_scalarizer(described)
    answers = [evaluate(scalarizer, _real(spectrum), record.spectra.axis) for spectrum in record.spectra.values]
    values = np.array([value for value, _ in answers])
    pixels = record.grid.ravel(record.spectra.pixels).tolist()
    return Frame.of(
        moment.number,
        "target",
        {"mean": _mean(moment, pixels, values)},
        pixels=pixels,
        values=[None if reason else value for value, reason in answers],
        reason=next((reason for _, reason in answers if reason), ""),
        units=units_of(scalarizer, record.spectra.units, record.spectra.axis_units),
        text=as_text(record, name, described),
    )


def as_text(record: RunRecord, name: str, described: Mapping[str, Any]) -> str:
    """Return lines to paste: the detector's configuration, and the agent of a run that goes after this target."""
    detector = record.target.removesuffix(f"_{record.start['gp']['optimizer_target']}")
    return (
        f"scalarizers = {json.dumps({name: described})}\n"
        f"# for the detector: SimulatedSpectrometer(..., scalarizers=scalarizers, name={detector!r}), or yours\n"
        f'optimizer = PixelOptimizer(grid, "{name}")\n'
        f'agent = GPAgent(optimizer, target="{detector}_{name}")\n'
    )


def windows_of(described: Any) -> list[dict[str, Any]]:
    """Return the windows of the axis that a scalarizer looks at, from its description in a record."""
    if not isinstance(described, Mapping):
        return []
    return [
        {"name": name, "low": float(value[0]), "high": float(value[1])}
        for name, value in described.items()
        if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(each, int | float) for each in value)
    ]


def _parameters(record: RunRecord, spectra: Spectra, wish: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in wish.items() if key not in ("name", "reference_pixel") and value is not None}
    if given.get("kind") not in KINDS:
        raise ValueError(f"a target picked by hand is one of {', '.join(KINDS)}, got {given.get('kind')!r}")
    if wish.get("reference_pixel") is not None:
        given["reference"] = _reference(record, spectra, int(wish["reference_pixel"])).tolist()
    return given


def _reference(record: RunRecord, spectra: Spectra, pixel: int) -> Floats:
    spectrum = spectra.last_at(record.grid.unravel([pixel])[0])
    if spectrum is None:
        raise ValueError(f"pixel {pixel} has no spectrum in this run: pick one that was measured")
    return _real(spectrum)


def _real(spectrum: Any) -> Floats:
    return np.abs(spectrum) if np.iscomplexobj(spectrum) else np.asarray(spectrum)


def _mean(moment: "Moment", pixels: list[int], values: Floats) -> Floats:
    """Predict the target everywhere, by the kernel that the run's own target has."""
    state = moment.state
    if state.posterior is None:
        return np.full(state.grid.shape, np.nan)
    last = dict(zip(pixels, values.tolist(), strict=True))
    known = np.array([[last.get(pixel, np.nan)] for pixel in state.pixels.tolist()])
    known[~np.isfinite(state.values)] = np.nan
    return state.posterior.mean_of(known)[:, 0].reshape(state.grid.shape)
