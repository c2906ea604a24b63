"""A picture in a notebook."""

import tempfile
from pathlib import Path
from typing import Any


class Cell:
    """A picture in the cell of a notebook, one for each run."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bluesky_gp_")
        self.file = Path(self._folder.name) / "live.png"
        self._handle: Any = None

    def begin(self) -> None:
        """Show the pictures that come now in the cell that is run now."""
        self._handle = None

    def show(self) -> None:
        """Renew the picture."""
        from IPython.display import Image, display

        if not self.file.exists():
            return
        picture = Image(data=self.file.read_bytes(), format="png")  # type: ignore[no-untyped-call]
        if self._handle is None:
            self._handle = display(picture, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(picture)
