"""Files of spectra as other programs write them: HyperSpy, USID, NSID."""

import h5py
import numpy as np
from rsciio.hspy import file_writer

ROWS, COLS, CHANNELS = 3, 4, 6
SPECTRA = np.arange(ROWS * COLS * CHANNELS, dtype=np.float64).reshape(ROWS, COLS, CHANNELS)
BIAS = np.array([0.0, 1.0, 2.0, 1.0, 0.0, -1.0])  # there and back: no even axis


def axis(name, size, units="", scale=1.0, offset=0.0, *, navigate):
    return {
        "_type": "UniformDataAxis",
        "name": name,
        "units": units,
        "size": size,
        "scale": scale,
        "offset": offset,
        "navigate": navigate,
        "is_binned": False,
    }


def signal(data, axes, **metadata):
    return {
        "data": data,
        "axes": axes,
        "metadata": {"General": {"title": "a map"}, "Signal": {"signal_type": ""}} | metadata,
        "original_metadata": {},
        "attributes": {"_lazy": False, "ragged": False},
        "learning_results": {},
        "models": {},
        "tmp_parameters": {},
        "package_info": {"package": "", "package_version": ""},
    }


def rows_and_cols(units="nm"):
    return [
        axis("y", ROWS, units, 0.5, 10.0, navigate=True),
        axis("x", COLS, units, 0.25, -2.0, navigate=True),
    ]


def write_hyperspy(path, data, axes, **metadata):
    """Write a .hspy file."""
    file_writer(str(path), signal(data, axes, **metadata), show_progressbar=False)
    return path


def write_usid(path, table=None, order="fast first", spectroscopic=None, rows=None, positions=None):
    """Write a USID file: a table of positions times steps, and where each row and column lies."""
    y, x = (index.ravel() for index in np.indices((ROWS, COLS)))
    where = [("X", "um", x, 0.25 * x), ("Y", "um", y, 0.5 * y + 10.0)] if positions is None else positions
    where = where if order == "fast first" else where[::-1]
    steps = [("DC bias", "V", np.arange(CHANNELS), BIAS)] if spectroscopic is None else spectroscopic
    table = SPECTRA.reshape(-1, CHANNELS) if table is None else table
    rows = slice(None) if rows is None else rows
    with h5py.File(path, "w") as file:
        main = file.create_dataset("Measurement_000/Channel_000/Loops", data=table[rows])
        main.attrs.update({"quantity": "Response", "units": "pm"})
        for side, dimensions, turned in (("Position", where, True), ("Spectroscopic", steps, False)):
            for kind, column in (("Indices", 2), ("Values", 3)):
                content = np.array([d[column] for d in dimensions])
                content = content.T[rows] if turned else content
                ancillary = file.create_dataset(f"Measurement_000/Channel_000/{side}_{kind}", data=content)
                ancillary.attrs["labels"] = [d[0] for d in dimensions]
                ancillary.attrs["units"] = [d[1] for d in dimensions]
                main.attrs[f"{side}_{kind}"] = ancillary.ref
    return path


def write_nsid(path, data=SPECTRA, kinds=("SPATIAL", "SPATIAL", "SPECTRAL")):
    """Write an NSID file, as sidpy does: a dataset with dimension scales."""
    scales = [("Y", "m", 1e-8 * np.arange(ROWS)), ("X", "m", 2e-8 * np.arange(COLS)), ("Bias", "V", BIAS)]
    with h5py.File(path, "w") as file:
        main = file.create_dataset("Channel_000/loops/loops", data=data)
        main.attrs.update({"main_data_name": "loops", "quantity": "Piezoresponse", "units": "pm"})
        for i, (name, units, values) in enumerate(scales):
            scale = file.create_dataset(f"Channel_000/loops/{name}", data=values)
            scale.attrs.update({"quantity": name, "units": units, "dimension_type": kinds[i]})
            scale.make_scale(name)
            main.dims[i].attach_scale(scale)
    return path
