"""One run, read from its journal as far as that goes: again and again while it goes on."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.recording import JournalError, JournalReader
from bluesky_gp.run import MAPS, RunReader, RunRecord, agent_entry, described_scalarizers
from bluesky_gp.typing import Floats


class FollowedRun:
    """A run as its journal has it now.

    Parameters
    ----------
    uid : str
    find : callable
        Returns the path of its journal, which is put away when the run has ended.

    Attributes
    ----------
    version : int
        Number of documents read: another one means that there is more to see.
    scalarizers : dict
        What the detector says of its targets, by their event keys.
    has_ended : bool
        Whether its stop document was read.
    fault : str
        That the journal is damaged, from some line on; empty: it is not.
    """

    def __init__(self, uid: str, find: Callable[[], Path]) -> None:
        self.uid = uid
        self.version = 0
        self.has_ended = False
        self.fault = ""
        self.scalarizers: dict[str, Any] = {}
        self._find = find
        self._reader = JournalReader(find())
        self._taken = RunReader()
        self._agent = ""
        self._maps: dict[int, int] = {}  # offset of the line with the maps, by iteration
        self._record: tuple[int, RunRecord] | None = None
        self._guard = threading.Lock()

    def record(self) -> RunRecord:
        """Return the run so far.

        Raises
        ------
        ValueError
            If no agent steered it, or it cannot be read; the message says why.
        """
        with self._guard:
            self._update()
            if self._record is None or self._record[0] != self.version:
                self._record = self.version, self._taken.record()
            return self._record[1]

    def take_in(self) -> None:
        """Take in what the journal has by now."""
        with self._guard:
            self._update()

    @property
    def journal(self) -> Path:
        """Path of its journal, as it is now."""
        return self._find()

    def has_maps(self, iteration: int) -> bool:
        """Whether the maps of an iteration were recorded."""
        return iteration in self._maps

    def maps(self, iteration: int) -> Mapping[str, Floats]:
        """Return mean, standard deviation and acquisition function as they were recorded, to the last bit."""
        _, doc = JournalReader(self._find()).read_at(self._maps[iteration])
        prefix = f"{self._agent}_maps_"
        return {name: np.asarray(doc["data"][f"{prefix}{name}"], dtype=np.float64) for name in MAPS}

    def _update(self) -> None:
        """Take in what the journal has more."""
        if self.fault:
            return
        self._reader.path = self._find()
        begin = self._reader.offset
        try:
            for name, doc in self._reader.read():
                if name == "start":
                    self._agent = str((agent_entry(doc) or {}).get("agent", ""))
                self._taken.take(name, doc)
                if name == "descriptor":
                    self.scalarizers |= described_scalarizers(doc)
                self.has_ended = self.has_ended or (name == "stop" and bool(doc))
                if (iteration := self._iteration(name, doc)) is not None:
                    self._maps.setdefault(iteration, begin)
                begin = self._reader.offset
                self.version += 1
        except JournalError as error:
            self.fault = str(error)

    def _iteration(self, name: str, doc: Mapping[str, object]) -> int | None:
        data = doc.get("data") if name == "event" else None
        found = data.get(f"{self._agent}_maps_iteration") if isinstance(data, Mapping) else None
        return None if found is None else int(found)
