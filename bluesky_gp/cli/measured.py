"""A map that was measured in full, from a file or from a run of a catalog."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bluesky_gp.cli.catalogs import find, is_steered, made_of, opened, read
from bluesky_gp.cli.targets import SYNTHETIC, experiment
from bluesky_gp.typing import Floats

if TYPE_CHECKING:
    from bluesky_gp.protocols import Scalarizer
    from bluesky_gp.rehearsal import FullMap
    from bluesky_gp.run import RunRecord

_PLAIN = {".npy": "numpy", ".txt": "text", ".csv": "text"}


def full_map(
    source: str,
    target: str | None,
    place: str,
    *,
    maximize: bool,
    signal: str | None = None,
    scalarizer: "Scalarizer | None" = None,
) -> "FullMap":
    """Return the map that a file or a run holds.

    Parameters
    ----------
    source : str
        A file of spectra or of a plain map; a uid, its first letters, a scan_id or "last"; or a synthetic sample.
    target : str, optional
        A scalarizer, as `parsed_target` reads it; key of a map in an ``.npz`` file; key of a run's
        events.
    place : str
        The catalog.
    maximize : bool
        False: smaller is better.
    signal : str, optional
        Name of the spectrum image, in a file that holds several.
    scalarizer : callable, optional
        Of a run whose agent made the number, if its record has only the name of it.

    Raises
    ------
    ValueError, OSError, ImportError
        If there is no such map; the message says what there is.
    click.UsageError
        If there is no such run.
    """
    if source not in SYNTHETIC:
        try:
            path = _file(source)
        except FileNotFoundError:
            if Path(source).suffix or len(Path(source).parts) > 1:
                raise
            if signal is not None:
                raise ValueError(f"--signal {signal} is for files, and there is no file {source}") from None
            return _of_run(source, target, place, scalarizer, maximize=maximize)
        plain = _plain_map(path, target) if signal is None else None
        if plain is not None:
            return _full(plain, target or path.stem, maximize=maximize)
        return _of_file(path, source, target, signal, maximize=maximize)
    return _of_spectra(source, target, signal, maximize=maximize)


def image_beside(source: str, place: str) -> Floats:
    """Return an overview image, of a file or of a run, behind a colon the array or the key of it that is meant.

    Raises
    ------
    As `full_map`.
    """
    there = Path(source).exists() or ":" not in source
    name, _, key = (source, "", "") if there else source.rpartition(":")
    try:
        return full_map(name, key or None, place, maximize=True).values
    except ValueError as error:
        said = str(error).replace("--target must name", "behind a colon must stand")
        raise ValueError(f"--overview {source}: {said}") from error


def _of_file(path: Path, source: str, target: str | None, signal: str | None, *, maximize: bool) -> "FullMap":
    """Take the spectra of a file, or the only map of numbers in one that has none and is asked for no target."""
    from bluesky_gp.files import NoSpectraError

    try:
        return _of_spectra(source, target, signal, maximize=maximize)
    except NoSpectraError as error:
        plain = error.plain_map() if target is None else None
        if plain is None:
            raise
        return _full(plain, path.stem, maximize=maximize)


def _file(source: str) -> Path:
    from bluesky_gp.files import find_file

    return find_file(source)


def _full(
    values: Floats,
    target: str,
    *,
    units: str = "",
    maximize: bool,
    mask: Any = None,
    key: str = "",
    spectra: Floats | None = None,
) -> "FullMap":
    from bluesky_gp.grid import PixelGrid
    from bluesky_gp.rehearsal import FullMap

    return FullMap(PixelGrid(values.shape, mask=mask), values, target, units, maximize, key, spectra)


def _plain_map(path: Path, target: str | None) -> Floats | None:
    """Return a map of numbers, not of spectra; None if the file is none."""
    kind = _PLAIN.get(path.suffix.lower())
    if kind == "text":
        return np.loadtxt(path, delimiter="," if path.suffix.lower() == ".csv" else None, ndmin=2)
    if kind == "numpy":
        from bluesky_gp.files import read_array

        return _numbers(path, path.name, read_array(path))
    return _stored(path, target) if path.suffix.lower() == ".npz" else None


def _stored(path: Path, target: str | None) -> Floats | None:
    """Return the map of that name, or the only one of a file that has no spectra."""
    from bluesky_gp.files import read_arrays

    arrays = read_arrays(path)
    if target is not None and target in arrays and target not in ("spectra", "axis"):
        values = _numbers(path, target, arrays[target])
        valid = arrays.get("valid", np.ones(values.shape, dtype=bool))
        return np.where(valid, values, np.nan) if valid.shape == values.shape else values
    if "spectra" in arrays:
        return None
    if len(arrays) == 1:
        ((name, array),) = arrays.items()
        return _numbers(path, name, array)
    raise ValueError(f"{path}: --target must name one of its arrays: {', '.join(arrays)}")


def _numbers(path: Path, name: str, values: Any) -> Floats:
    if not 1 <= values.ndim <= 3 or not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise ValueError(
            f"{path}: {name!r} must be a map of real numbers over one to three axes, "
            f"got {values.dtype} of shape {values.shape}"
        )
    return np.asarray(values, dtype=np.float64)


def _of_spectra(source: str, target: str | None, signal: str | None, *, maximize: bool) -> "FullMap":
    from bluesky_gp.scalarizers import get_scalarizer, units_of

    chosen = experiment(source, target, signal)
    units = units_of(get_scalarizer(chosen.scalarizer), chosen.sample.spectrum_units, chosen.sample.axis_units)
    spectra = getattr(chosen.sample, "spectra", None)  # a synthetic sample makes them one by one
    return _full(chosen.truth, chosen.target, units=units, maximize=maximize, spectra=spectra)


def _of_run(key: str, target: str | None, place: str, scalarizer: "Scalarizer | None", *, maximize: bool) -> "FullMap":
    from bluesky_gp.cli.scanned import scanned_map

    with opened(place) as catalog:
        run = find(catalog, key)
        if is_steered(run):
            return _of_record(read(catalog, run, scalarizer), maximize=maximize)
        return made_of(catalog, run, partial(scanned_map, target=target, maximize=maximize))


def _of_record(record: "RunRecord", *, maximize: bool) -> "FullMap":
    """Take a run of an agent: pixels that it did not attempt are masked."""
    record = record.together
    values, attempted = np.full(record.grid.shape, np.nan), np.zeros(record.grid.size, dtype=bool)
    attempted[[outcome.pixel for outcome in record.outcomes]] = True
    pixels, measured = record.measured
    values[tuple(pixels.T)] = measured
    mask = None if attempted.all() else ~attempted.reshape(record.grid.shape)
    maximize = maximize and bool(record.start["gp"].get("maximize", True))  # the agent's own direction
    return _full(values, record.target, units=record.units, maximize=maximize, mask=mask, key=record.target)
