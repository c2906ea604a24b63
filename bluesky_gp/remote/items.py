"""Items of a queue as one who added them sees them: added, waiting, running, ended, or gone."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

TRIES = 5  # of a request that the manager does not answer in time


class QueueRefusedError(RuntimeError):
    """The queue did not take an item."""


class ItemGoneError(RuntimeError):
    """An item was taken out of the queue by somebody, or did not end in time."""


class Items:
    """Adds items to a queue and looks after its own, and only after these.

    The rest of the queue and its autostart stay as they are. What has become of an item is asked of history, queue and
    status together, and once more before it is called gone: the three answers are not of one moment.

    Parameters
    ----------
    manager : REManagerAPI
        Of `bluesky_queueserver_api`, over 0MQ or HTTP.
    poll : float
        Seconds between two looks.
    """

    def __init__(self, manager: Any, poll: float = 0.3) -> None:
        self.manager = manager
        self.ended = threading.Event()
        self._poll = poll
        self._own: set[str] = set()

    def add(self, item: Any, correlation: str) -> str:
        """Put an item behind all others; return its uid.

        Parameters
        ----------
        item : BPlan
        correlation : str
            Stands in its metadata as ``correlation_uid``: one whose answer was lost is found by it, not added twice.

        Raises
        ------
        QueueRefusedError
            With what the manager says.
        """
        uid = None
        for _ in range(TRIES):
            try:
                answer = self.manager.item_add(item, pos="back")
            except self.manager.RequestTimeoutError:
                uid = self._found(correlation)
            except Exception as error:  # its classes differ between the two APIs
                raise QueueRefusedError(f"the queue did not take the batch: {error}") from error
            else:
                if not answer.get("success"):
                    raise QueueRefusedError(f"the queue did not take the batch: {answer.get('msg')}")
                uid = str(answer["item"]["item_uid"])
            if uid is not None:
                self._own.add(uid)
                return uid
        raise QueueRefusedError(f"the queue did not take the batch: the manager did not answer, {TRIES} times")

    def start(self) -> bool:
        """Start the queue if it stands still and holds nothing of anybody else; return whether it was started."""
        status = self._ask("status")
        if status["manager_state"] != "idle" or any(uid not in self._own for uid in self._waiting()):
            return False
        self.manager.queue_start()
        return True

    def wait(self, uid: str, seconds: float) -> Mapping[str, Any]:
        """Wait for the end of an item; return its result as the history has it.

        Raises
        ------
        ItemGoneError
            If somebody deleted it, or it did not end in so many seconds, or `ended` was set.
        """
        until, missing = time.monotonic() + seconds, 0
        while time.monotonic() < until and not self.ended.is_set():
            if (result := self._result(uid)) is not None:
                self._own.discard(uid)
                return result
            missing = 0 if self._is_there(uid) else missing + 1
            if missing > 2:
                self._own.discard(uid)
                raise ItemGoneError(f"item {uid} is neither in the queue nor in its history: somebody deleted it")
            self.ended.wait(self._poll)
        if self.ended.is_set():
            raise ItemGoneError(f"item {uid} was given up: the agent was ended")
        state = self._ask("status")["manager_state"]
        raise ItemGoneError(f"item {uid} did not end in {seconds:g} s, the manager is {state!r}; is the queue started?")

    def take_back(self) -> None:
        """Take its items that wait out of the queue; one that is running goes on."""
        for uid in set(self._waiting()) & self._own:
            with suppress(self.manager.RequestFailedError):  # it began, or somebody was quicker
                self.manager.item_remove(uid=uid)
            self._own.discard(uid)

    def abort(self) -> None:
        """End at once, from any thread: take its items back, and abort the run of the one that is running."""
        self.ended.set()
        self.take_back()
        if self._running() in self._own:
            if self._ask("status")["manager_state"] != "paused":
                self.manager.re_pause("immediate")
                self._until_paused()
            self.manager.re_abort()

    def _until_paused(self, seconds: float = 30.0) -> None:
        until = time.monotonic() + seconds
        while self._ask("status")["manager_state"] != "paused" and time.monotonic() < until:
            time.sleep(self._poll)

    def _found(self, correlation: str) -> str | None:
        """Return the uid of the item of a correlation id, waiting or ended."""
        items = [*self._ask("queue_get")["items"], *self._ask("history_get")["items"]]
        items += [self._ask("queue_get").get("running_item") or {}]
        known = (i for i in items if (i.get("kwargs", {}).get("md") or {}).get("correlation_uid") == correlation)
        return next((str(item["item_uid"]) for item in known), None)

    def _ask(self, request: str) -> Any:
        """Ask the manager, again where it is too busy to answer in time."""
        for _ in range(TRIES - 1):
            try:
                return getattr(self.manager, request)(reload=True)
            except self.manager.RequestTimeoutError:
                continue
        return getattr(self.manager, request)(reload=True)

    def _result(self, uid: str) -> Mapping[str, Any] | None:
        history = self._ask("history_get")["items"]
        return next((item["result"] for item in reversed(history) if item["item_uid"] == uid), None)

    def _is_there(self, uid: str) -> bool:
        return uid == self._running() or uid in self._waiting()

    def _running(self) -> str | None:
        return self._ask("status")["running_item_uid"]  # type: ignore[no-any-return]

    def _waiting(self) -> list[str]:
        return [str(item["item_uid"]) for item in self._ask("queue_get")["items"]]
