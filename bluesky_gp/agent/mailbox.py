"""A folder of small files by which another process, a page in a browser, asks a running session for actions.

Nobody waits for the other: a page that dies leaves a file that is complete or none, a session that died leaves files
that nobody answers. Who may write into the folder may steer, so it is the user's own.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import time
from typing import Any
from uuid import uuid4

FOLDER = "BLUESKY_GP_HANDS"
"""Environment variable: the folder of all mailboxes, where that in the user's data will not do."""

_LARGEST = 2**22  # bytes of an ask: a mask of 4096 x 4096 pixels takes two million


class Mailbox:
    """The mailbox of one run.

    Parameters
    ----------
    uid : str
        Of the run.
    root : Path, optional
        Folder of all mailboxes. Default: that which BLUESKY_GP_HANDS names, else one in the user's data.
    """

    def __init__(self, uid: str, root: Path | None = None) -> None:
        self.folder = (_root() if root is None else root) / re.sub(r"[^0-9A-Za-z-]+", "_", uid)

    # The page

    def open(self) -> None:
        """Make the folder, for its owner alone: the session looks into it from now on."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def post(self, action: str, arguments: Mapping[str, Any] | None = None, *, who: str = "") -> str:
        """Ask for an action of the agent, named as its method; return the name under which the answer comes."""
        self.open()
        name = f"{time():.6f}_{uuid4().hex[:8]}"  # in this order they are taken
        self._write(f"ask_{name}.json", {"action": action, "arguments": dict(arguments or {}), "who": who})
        return name

    def answer(self, name: str) -> dict[str, Any] | None:
        """Return ``{"accepted": ..., "sentence": ...}``, None as long as nobody has answered."""
        return _read(self.folder / f"answer_{name}.json")

    def state(self) -> dict[str, Any] | None:
        """Return what the session said of itself last, with its ``time``; None: nothing yet."""
        self.open()
        return _read(self.folder / "state.json")

    # The session

    @property
    def is_open(self) -> bool:
        """Whether anybody ever looked at this run with hands."""
        return self.folder.is_dir()

    def asks(self) -> Iterator[tuple[str, Any]]:
        """Yield what was asked for, name and content, oldest first; content that cannot be read is None."""
        for path in sorted(self.folder.glob("ask_*.json")):
            yield path.stem.removeprefix("ask_"), _read(path) if path.stat().st_size <= _LARGEST else None

    def reply(self, name: str, accepted: bool, sentence: str) -> None:
        """Answer, and take the question away."""
        self._write(f"answer_{name}.json", {"accepted": accepted, "sentence": sentence})
        (self.folder / f"ask_{name}.json").unlink(missing_ok=True)

    def tell(self, state: Mapping[str, Any]) -> None:
        """Say how the session stands."""
        self._write("state.json", {"time": time(), **state})

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a file that is there whole or not at all."""
        unfinished = self.folder / f".{uuid4().hex}"
        unfinished.write_text(json.dumps(content))
        os.replace(unfinished, self.folder / name)


def _root() -> Path:
    if given := os.environ.get(FOLDER):
        return Path(given).expanduser()
    from platformdirs import user_data_path

    return user_data_path("bluesky_gp") / "hands"


def _read(path: Path) -> dict[str, Any] | None:
    """Return the content of a file; None if there is none, or it is no mapping."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
