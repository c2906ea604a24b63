"""The readable of people's actions: stream ``gp_hands``, one event an action, and those that wait to be recorded."""

import json
from collections.abc import Callable
from typing import Any

from bluesky.protocols import Hints, Reading
from event_model import DataKey

from bluesky_gp.agent.data_keys import number, readings, text
from bluesky_gp.run import Action
from bluesky_gp.status import FutureStatus, finished


class Hands:
    """Keeps the actions that no record has yet, and says which came last; a plan sets it, then reads it into an event.

    It is set by a message, so that a rewind after a pause sets and reads the same action again. Actions may be added
    from any thread.

    Parameters
    ----------
    name : str
        Of the device and the stream, and the beginning of its keys.
    """

    parent = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.on_new: Callable[[Action], None] = lambda action: None  # told of each action that is added
        self._waiting: tuple[Action, ...] = ()
        self._last = Action("")

    @property
    def waiting(self) -> tuple[Action, ...]:
        """Actions that are not in a record yet, in order."""
        return self._waiting

    def add(self, action: Action) -> None:
        """Have an action wait for the next question."""
        self._waiting = (*self._waiting, action)
        self.on_new(action)

    def drop(self, *ids: str) -> None:
        """Wait no more for some actions: they are in the record, or nobody will heed them."""
        self._waiting = tuple(action for action in self._waiting if action.id not in ids)

    def set(self, action: Action) -> FutureStatus:
        """Take the action that is to be recorded; done at once."""
        self._last = action
        return finished(self.name)

    def read(self) -> dict[str, Reading[Any]]:
        """Return what was asked for, by whom and when."""
        values = self._last.to_mapping()
        values["arguments"] = json.dumps(values["arguments"])
        return readings({f"{self.name}_{key}": value for key, value in values.items()}, self._last.when)

    def describe(self) -> dict[str, DataKey]:
        """Describe what `read` returns."""
        source = f"bluesky_gp:{self.name}"
        keys = {key: text(source) for key in ("id", "action", "who", "arguments")}
        keys["when"] = number(source, units="s")
        return {f"{self.name}_{key}": about for key, about in keys.items()}

    @property
    def hints(self) -> Hints:
        """Nothing that a plot could show."""
        return {"fields": []}
