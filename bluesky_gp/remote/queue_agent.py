"""An agent that fills a queue itself, a batch an item, and reads what was measured out of a catalog."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

import numpy as np

from bluesky_gp.protocols import AnyOptimizer
from bluesky_gp.recording import Documents
from bluesky_gp.remote.drafts import Drafts
from bluesky_gp.remote.items import ItemGoneError, Items
from bluesky_gp.run import (
    AGREE,
    Action,
    Axes,
    Decision,
    Outcome,
    PixelKeys,
    beginning,
    decide,
    other_keys,
    read_outcomes,
)

logger = logging.getLogger("bluesky_gp")


@dataclass(frozen=True)
class Ended:
    """The runs that were measured, and why there are no more."""

    uids: tuple[str, ...]
    reason: str


class QueueAgent:
    """Proposes batches, queues each as an item, and learns from its run.

    Two steps: adding an item, and starting the queue. It starts nothing unless `starts` is True, and then only a queue
    that stands still and holds nothing of anybody else. `abort` works at any time.

    Parameters
    ----------
    manager : REManagerAPI
        Of `bluesky_queueserver_api`, over 0MQ or HTTP.
    optimizer : Optimizer
    target : str
        Event key of the number to learn.
    documents : callable
        ``f(uid) -> documents`` of a run, as ``partial(documents_of, catalog=catalog)``; KeyError while there is none.
    detectors : sequence of str
        Their names in the worker.
    stage : str
        Name of the stage, whose events have its pixel.
    name : str
        Stands in the start document of its runs, under ``gp_queue``.
    plan : str
        Measures a list of pixels: ``plan(detectors, stage, pixels, md=...)``.
    wait : float
        Seconds that an item may take from being added to its end, and a person to answer.
    review : bool
        Whether each batch waits for a person: `drafts`.
    starts : bool
        Whether it may start the queue.
    """

    def __init__(
        self,
        manager: Any,
        optimizer: AnyOptimizer,
        *,
        target: str,
        documents: Callable[[str], Documents],
        detectors: Sequence[str],
        stage: str = "stage",
        name: str = "gp",
        plan: str = "list_map",
        wait: float = 3600.0,
        review: bool = False,
        starts: bool = False,
    ) -> None:
        self.optimizer, self.name, self.wait, self.review, self.starts = optimizer, name, wait, review, starts
        self.drafts = Drafts(optimizer.grid)
        self.items = Items(manager)
        self._documents = documents
        self._item = (plan, list(detectors), stage)
        axes = Axes(optimizer.grid.pixel_keys(stage))
        self._keys = PixelKeys(name, target, optimizer.grid, axes, others=other_keys(target, optimizer, {}))
        self._decision: Decision = beginning(optimizer, optimizer.state)
        self._attempted: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End, and take back what still waits in the queue."""
        self.items.ended.set()
        self.items.take_back()

    def abort(self) -> None:
        """End at once: its items are taken back, and its run is aborted if one is measured. From any thread."""
        self.items.abort()

    def run(self, num: int) -> Ended:
        """Queue batch after batch until `num` pixels were attempted, or there is a reason to end.

        Returns
        -------
        Ended
            Why: ``num``, a stopping rule, an item that was deleted, a run that was aborted, nobody who answered.
        """
        uids: list[str] = []
        outcomes: list[Outcome] = []
        try:
            while not (reason := self._next(outcomes, num - len(self._attempted))):
                result = self._measured()
                uids += result["run_uids"]
                outcomes = self._learnt(result["run_uids"])
                if result["exit_status"] != "completed":
                    reason = f"the item ended as {result['exit_status']!r}: {result['msg']}"
                    self._decide(outcomes, 0, reason)
                    break
        except ItemGoneError as error:
            reason = str(error)
        finally:
            self.items.take_back()
        logger.info("%s: %s", self.name, reason)
        return Ended(tuple(uids), reason)

    def catch_up(self, uids: Iterable[str]) -> None:
        """Learn from runs of an earlier session, in order: after a restart it goes on where it stood."""
        for uid in uids:
            self._decide(self._learnt([uid]), self.optimizer.batch_size, "")

    def _next(self, outcomes: Sequence[Outcome], left: int) -> str:
        """Decide, with a person if `review` says so; return why there is no batch, or nothing."""
        self._decide(outcomes, min(self.optimizer.batch_size, left), "num")
        while self.review and not self._decision.is_last:
            answer = self.drafts.put(self._decision.proposal.pixels.tolist(), self.wait)
            if answer is None:
                return f"nobody answered in {self.wait:g} s whether the batch may be queued"
            if answer.kind == AGREE:
                break
            self._decide((), len(self._decision.proposal.pixels), "", [answer])
            if answer.kind != "veto":
                break
        return self._decision.proposal.stop_reason

    def _decide(self, outcomes: Sequence[Outcome], num: int, reason: str, actions: Sequence[Action] = ()) -> None:
        self._decision = decide(self.optimizer, self._decision, outcomes, num, reason, actions=actions)
        self.optimizer.restore(self._decision.state)

    def _measured(self) -> Mapping[str, Any]:
        """Queue the batch and wait for its end."""
        from bluesky_queueserver_api import BPlan

        plan, detectors, stage = self._item
        pixels = self._decision.proposal.pixels.tolist()
        entry = {"agent": self.name, "iteration": self._decision.iteration, "proposed": pixels}
        correlation = str(uuid4())
        md = {"correlation_uid": correlation, "gp_queue": entry}
        uid = self.items.add(BPlan(plan, detectors, stage, pixels, md=md), correlation)
        if self.starts:
            self.items.start()
        return self.items.wait(uid, self.wait)

    def _learnt(self, uids: Sequence[str]) -> list[Outcome]:
        """Read what became of the batch: a pixel without an event has failed."""
        outcomes: list[Outcome] = []
        proposed: list[int] = []
        for uid in uids:
            start, heard = read_outcomes(self._whole(uid), lambda _: self._keys)
            pixels = start.get("gp_queue", {}).get("proposed", [])
            outcomes += heard
            proposed += self.optimizer.grid.ravel(pixels).tolist() if pixels else []
        there = {outcome.pixel for outcome in outcomes}
        missing = [pixel for pixel in proposed if pixel not in there]
        outcomes += [Outcome(pixel, np.nan, "not in its run", fault=True) for pixel in missing]
        self._attempted |= {outcome.pixel for outcome in outcomes}
        return outcomes

    def _whole(self, uid: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the documents of a run that has ended; a catalog may have them a little later."""
        until = time.monotonic() + 60.0
        while time.monotonic() < until:
            try:
                documents = list(self._documents(uid))
            except (KeyError, LookupError):
                documents = []
            if documents and documents[-1][0] == "stop":
                return documents
            time.sleep(0.3)
        raise TimeoutError(f"{self.name}: run {uid} ended, and after 60 s its documents are not complete")
