"""Measured maps as files: ``.npz``, HyperSpy's, those of microscopes' and scanning probes' software."""

import os
from pathlib import Path

from bluesky_gp.files.signals import AXIS_NAMES
from bluesky_gp.files.spectrum_image import SpectrumImage

__all__ = ["AXIS_NAMES", "DATA_VARIABLE", "SpectrumImage", "find_file", "read_spectra"]

DATA_VARIABLE = "BLUESKY_GP_DATA"
"""Environment variable: the folder in which relative names of files are looked up."""

HDF5 = (".h5", ".hdf5", ".hf5")


def read_spectra(path: str | os.PathLike[str], *, signal: str | None = None) -> SpectrumImage:
    """Return the spectrum image that a file holds.

    Parameters
    ----------
    path : str or path
        ``.npz`` with the arrays `spectra` and `axis`; ``.h5`` in the form of USID (pyUSID) or NSID (sidpy); or one of
        the formats of rosettasciio: HyperSpy's ``.hspy``, ``.dm3``, ``.dm4``, ``.emd``, ``.bcf``... A relative name
        that is not in the working directory is looked up in the folder that the environment variable BLUESKY_GP_DATA
        names.
    signal : str, optional
        Name of the spectrum image, in a file that holds several.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no file of spectra, or holds several; the message names the file.
    ModuleNotFoundError
        If a reader is not installed; the message says what to install.
    """
    found = find_file(path)
    suffix = found.suffix.lower()
    if suffix == ".npz":
        from bluesky_gp.files.npz import read_npz

        return read_npz(found)
    if suffix in HDF5:
        from bluesky_gp.files.hdf5 import read_hdf5

        image = read_hdf5(found, signal)
        if image is not None:
            return image
    from bluesky_gp.files.rosettasciio import read_rosettasciio

    return read_rosettasciio(found, signal)


def find_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file, looked up in the data folder as well; FileNotFoundError says where it is not."""
    path = Path(path)
    folder = os.environ.get(DATA_VARIABLE)
    candidates = [path] if path.is_absolute() or not folder else [path, Path(folder).expanduser() / path]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    looked = " nor ".join(str(candidate) for candidate in candidates)
    hint = "" if folder else f" (relative names are also looked up in the folder that {DATA_VARIABLE} names)"
    raise FileNotFoundError(f"there is no {looked}{hint}")
