"""An HDF5 file to which a detector writes its spectra, and the documents that name them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from event_model import ComposeStreamResource

from bluesky_gp.typing import Floats

DATASET = "/entry/data/data"


class FrameFile:
    """A spectrum a frame, in one data set of shape ``(n_frames, n_channels)``; readable while it is written (SWMR).

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    name : str
        Of the detector; the file is ``NAME-SOMETHING.h5``.
    key : str
        Data key of the spectrum.
    like : ndarray, shape (n_channels,)
        A spectrum of the kind that comes.
    """

    def __init__(self, folder: Path, name: str, key: str, like: Floats) -> None:
        import h5py

        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder.resolve() / f"{name}-{uuid4().hex[:12]}.h5"
        self._file = h5py.File(self.path, "w", libver="latest")
        sizes = {"shape": (0, *like.shape), "maxshape": (None, *like.shape), "chunks": (1, *like.shape)}
        self._data = self._file.create_dataset(DATASET, **sizes, dtype=like.dtype, fillvalue=np.nan, fletcher32=True)
        self._file.swmr_mode = True
        about = {"dataset": DATASET, "chunk_shape": (1, *like.shape)}
        uri = f"file://localhost{self.path.as_uri().removeprefix('file://')}"
        self._bundle = ComposeStreamResource()(
            mimetype="application/x-hdf5", uri=uri, data_key=key, parameters=about, uid=None, validate=True
        )
        self._written = 0  # frames that went well
        self._told = 0  # frames of which documents speak

    def write(self, spectrum: Floats) -> None:
        """Write the next frame."""
        self._data.resize(self._written + 1, axis=0)
        self._data[self._written] = spectrum
        self._data.flush()
        self._written += 1

    def documents(self, number: int) -> Iterator[tuple[str, Any]]:
        """Yield what says that so many further frames belong to the next events."""
        if number and not self._told:
            yield "stream_resource", self._bundle.stream_resource_doc
        if number:
            yield "stream_datum", self._bundle.compose_stream_datum({"start": self._told, "stop": self._told + number})
            self._told += number

    def close(self) -> None:
        """End the file."""
        self._file.close()
