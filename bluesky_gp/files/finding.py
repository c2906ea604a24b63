"""Files by absolute, relative or bare name."""

import os
import reprlib
from pathlib import Path

DATA_VARIABLE = "BLUESKY_GP_DATA"
"""Environment variable: the folder in which relative names of files are looked up."""


def find_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file, looked up in the data folder as well; FileNotFoundError says where it is not."""
    if not isinstance(path, str | os.PathLike):
        came = f"{type(path).__name__} {reprlib.repr(path)}"
        made = (
            ": numpy.savez('map.npz', spectra=..., axis=...) makes a file of arrays" if hasattr(path, "dtype") else ""
        )
        raise TypeError(f"expected the path of a file of spectra, got {came}{made}")
    path = Path(path)
    folder = os.environ.get(DATA_VARIABLE)
    candidates = [path] if path.is_absolute() or not folder else [path, Path(folder).expanduser() / path]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    looked = " nor ".join(str(candidate) for candidate in candidates)
    hint = "" if folder else f" (relative names are also looked up in the folder that {DATA_VARIABLE} names)"
    raise FileNotFoundError(f"there is no {looked}{hint}")
