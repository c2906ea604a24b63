"""HDF5 files that keep to themselves: no links out of the file, no data in others, nothing that fills the memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.files.axes import plain_text
from bluesky_gp.files.limits import LARGEST, check_size

SUFFIXES = (".h5", ".hdf5", ".hf5")


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file for reading, which has been checked.

    Raises
    ------
    ModuleNotFoundError
        If h5py is not installed; the message says what to install.
    ValueError
        If it is no HDF5, or leads to other files.
    """
    try:
        import h5py
    except ImportError as error:
        raise ModuleNotFoundError(
            f"file {path}: {path.suffix} files are read by h5py: pip install 'bluesky_gp[hyperspy]'"
        ) from error
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"file {path}: cannot be read as HDF5: {error}") from error
    with file:
        try:
            _check_links(file)
            for dataset in datasets(file):
                _check_storage(dataset)
        except Exception as error:  # whatever h5py stumbles over in a broken file
            raise ValueError(f"file {path}: {error}") from error
        yield file


def datasets(file: Any) -> list[Any]:
    """Return all data sets of a file, each once."""
    found: list[Any] = []
    file.visititems(lambda _, item: found.append(item) if hasattr(item, "dtype") and hasattr(item, "shape") else None)
    return found


def _check_links(file: Any) -> None:
    import h5py

    def foreign(name: str, link: Any) -> tuple[str, str] | None:
        """Return a link that leads out of the file, which ends the visit: h5py hides what is raised in one."""
        inside = isinstance(link, h5py.HardLink | h5py.SoftLink)
        return None if inside else (name, getattr(link, "filename", "elsewhere"))

    found = file.visititems_links(foreign)
    if found is not None:
        raise ValueError(f"its {found[0]!r} is a link to another file, {found[1]!r}: such links are not followed")


def _check_storage(dataset: Any) -> None:
    """Raise ValueError if the numbers of a data set are bytes of another file, which may be any file of the system."""
    layout = dataset.id.get_create_plist()
    others = [layout.get_external(i)[0] for i in range(layout.get_external_count())]
    if dataset.is_virtual:
        others += [source.file_name for source in dataset.virtual_sources() if source.file_name != "."]
    if others:
        where = ", ".join(repr(plain_text(other)) for other in others[:3])
        raise ValueError(f"its {dataset.name!r} is kept in another file, {where}: such data are not read")


def check_packed(dataset: Any) -> None:
    """Raise ValueError if a data set would fill the memory, or unpacks from next to nothing."""
    check_size(repr(dataset.name.strip("/")), dataset.shape or (), dataset.id.get_storage_size())


def check_all_packed(file: Any) -> None:
    """Raise ValueError if the data sets of a file together would fill the memory."""
    sizes = [8 * int(dataset.size or 0) for dataset in datasets(file)]
    if sum(sizes) > LARGEST:
        raise ValueError(f"its arrays would take {sum(sizes) / 2**30:.1f} GiB")
    for dataset in datasets(file):
        check_packed(dataset)


def is_real(dtype: "np.dtype[Any]") -> bool:
    """Whether a type of numbers is real."""
    return bool(np.issubdtype(dtype, np.number) and not np.issubdtype(dtype, np.complexfloating))


def metadata(dataset: Any) -> dict[str, Any]:
    """Return the attributes of a data set that are texts or numbers."""
    plain = {key: value for key, value in dataset.attrs.items() if isinstance(value, str | int | float | np.generic)}
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in plain.items()}
