"""Spectra in the HDF5 files of scanning probes and of Nion Swift, which say in the file what the axes are."""

from pathlib import Path

from bluesky_gp.files.hdf5 import datasets, opened
from bluesky_gp.files.nion import is_nion, nion_signal
from bluesky_gp.files.nsid import is_nsid, nsid_signal
from bluesky_gp.files.signals import Signal
from bluesky_gp.files.usid import is_usid, usid_signals


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
