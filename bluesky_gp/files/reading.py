"""Spectrum images from files: the readers of each suffix, in the order in which they are asked."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from bluesky_gp.files import hdf5
from bluesky_gp.files.finding import find_file
from bluesky_gp.files.hdf5 import datasets, opened
from bluesky_gp.files.igor import read_ibw
from bluesky_gp.files.nanonis import read_3ds
from bluesky_gp.files.nion import is_nion, nion_signal, read_ndata
from bluesky_gp.files.npz import read_npz
from bluesky_gp.files.nsid import is_nsid, nsid_signal
from bluesky_gp.files.rosettasciio import known_suffixes, read_rosettasciio
from bluesky_gp.files.scifireaders import SCIFIREADERS, read_scifireaders
from bluesky_gp.files.signals import Signal, chosen_image
from bluesky_gp.files.spectrum_image import SpectrumImage
from bluesky_gp.files.usid import is_usid, usid_signals

Reader = Callable[[Path], Sequence[Signal] | None]
"""Reader of a format: the signals of a file, not yet in memory; None if the file is of another format."""


def read_probe_hdf5(path: Path) -> list[Signal] | None:
    """Return the signals of a file of USID, NSID or Nion Swift, None if it is none of them.

    A data set that cannot be read does not keep others from being read; ValueError if none can.
    """
    found: list[Signal] = []
    errors: list[str] = []
    with opened(path) as file:
        for dataset in datasets(file):
            try:
                if is_usid(dataset):
                    found += usid_signals(path, dataset)
                elif is_nsid(dataset):
                    found.append(nsid_signal(path, dataset))
                elif is_nion(dataset):
                    found.append(nion_signal(path, dataset))
            except Exception as error:  # whatever h5py stumbles over in a broken file
                errors.append(str(error))
    if errors and not found:
        raise ValueError(f"file {path}: cannot be read as USID, NSID or a file of Nion Swift: {'; '.join(errors[:3])}")
    return found or None


READERS: dict[str, tuple[Reader, ...]] = {
    ".npz": (read_npz,),
    ".ndata": (read_ndata,),
    ".3ds": (read_3ds,),
    **dict.fromkeys(hdf5.SUFFIXES, (read_probe_hdf5, read_rosettasciio)),
    **dict.fromkeys(SCIFIREADERS, (read_scifireaders,)),
    ".ibw": (read_ibw,),
}
"""Readers by suffix; files of any other suffix are rosettasciio's."""


def read_spectra(path: str | os.PathLike[str], *, signal: str | None = None) -> SpectrumImage:
    """Return the spectrum image that a file holds.

    Parameters
    ----------
    path : str or path
        ``.npz`` with the arrays `spectra` and `axis`; ``.h5`` in the form of USID (pyUSID) or NSID (sidpy); Nion
        Swift's ``.ndata`` and ``.h5``; Nanonis' ``.3ds``; what SciFiReaders reads, such as ``.ibw``; or one of the
        formats of rosettasciio: HyperSpy's ``.hspy``, ``.dm3``, ``.dm4``, ``.emd``, ``.bcf``... A relative name that
        is not in the working directory is looked up in the folder that BLUESKY_GP_DATA in the environment names.
    signal : str, optional
        Spectrum image, in a file that holds several: its name, the end of its path, or its number, counted from 1. Of
        several of one name the second is ``NAME#2``; a part of one with several cycles is ``NAME[Field=0,Cycle=1]``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    NoSpectraError
        If the file was read and has no spectrum at each pixel; it is a ValueError.
    ValueError
        If it is no file of spectra, or holds several; the message names the file.
    ModuleNotFoundError
        If a reader is not installed; the message says what to install.
    """
    found = find_file(path)
    for reader in READERS.get(found.suffix.lower(), (read_rosettasciio,)):
        signals = reader(found)
        if signals is not None:
            return chosen_image(found, signals, signal)
    known = sorted({suffix.lstrip(".") for suffix in READERS} | known_suffixes())
    raise ValueError(f"file {found}: the suffix {found.suffix!r} is none of those that are read: {', '.join(known)}")
