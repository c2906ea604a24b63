"""The session's side of the mailbox: a thread that takes what was asked for while a run goes on, and answers."""

import logging
from collections.abc import Mapping
from threading import Event, Thread
from time import monotonic
from typing import Any

from bluesky_gp.agent.by_hand import ByHand
from bluesky_gp.agent.mailbox import Mailbox

log = logging.getLogger("bluesky_gp")

_PERIOD = 0.5  # s between two looks into the folder
_RENEWED = 2.0  # s after which the state is written anew, so that a page sees that the session lives


_SAME = (
    "add_pixels", "forbid", "allow", "restrict", "configure", "go_on", "finish", "agree", "edit", "veto", "learn_from",
    "mark_failed",
)  # fmt: skip

ACTIONS = {**{name: name for name in _SAME}, "pause": "pause_after_batch"}
"""What may be asked for, and the agent's method for it."""


class Mail:
    """Carries asks from a mailbox to the methods of an agent, until it is discarded.

    Parameters
    ----------
    uid : str
        Of the run.
    agent : ByHand
        It does what is asked for.
    """

    def __init__(self, uid: str, agent: ByHand) -> None:
        self._mailbox = Mailbox(uid)
        self._agent = agent
        self._said: Mapping[str, Any] = {}
        self._said_at = 0.0
        self._over = Event()
        Thread(target=self._carry, name="bluesky_gp mail", daemon=True).start()

    def discard(self) -> None:
        """Take nothing more."""
        self._over.set()

    def _carry(self) -> None:
        over = False
        while not over:
            over = self._over.wait(_PERIOD)
            try:
                if self._mailbox.is_open:
                    self._answer(over)
                    self._say(over)
            except Exception as error:  # whatever a folder or a page does: the run goes on
                log.warning("the mailbox %s: %s: %s", self._mailbox.folder, type(error).__name__, error)
                self._over.wait(10.0)

    def _answer(self, over: bool) -> None:
        for name, content in self._mailbox.asks():
            self._mailbox.reply(name, *((False, "the run is over") if over else self._done(content)))

    def _done(self, content: Any) -> tuple[bool, str]:
        """Do what was asked for; return whether it was accepted, and a sentence."""
        asked = content if isinstance(content, Mapping) else {}
        action, arguments = str(asked.get("action")), asked.get("arguments", {})
        if action not in ACTIONS:
            return False, f"an action is one of {', '.join(ACTIONS)}, got {asked.get('action')!r:.80}"
        if not isinstance(arguments, Mapping):
            return False, f"{action}: arguments are a mapping of names to values, got {arguments!r:.80}"
        try:
            getattr(self._agent, ACTIONS[action])(**{**arguments, "who": str(asked.get("who") or "page")})
        except Exception as error:  # of a wrong argument: it is the page's to show
            return False, str(error) or type(error).__name__
        return True, f"{action}: it counts from the next decision on"

    def _say(self, over: bool) -> None:
        state = {**standing(self._agent), "over": over}
        if state != self._said or monotonic() > self._said_at + _RENEWED:
            self._mailbox.tell(state)
            self._said, self._said_at = state, monotonic()


def standing(agent: ByHand) -> dict[str, Any]:
    """Return how an agent's run stands, as a page is told."""
    run, question = agent.progress, agent.review.question
    latest = None if run is None else run.latest
    waits = None if question is None else {"pixels": [list(p) for p in question.pixels], "until": agent.review.until}
    return {
        "agent": agent.name,
        "run": "" if run is None else run.heard.uid,
        "iteration": -1 if latest is None else latest.iteration,
        "num": None if run is None else run.num_after(agent.hands.waiting),
        "batch_size": agent.orders.settings.get("batch_size", agent.optimizer.batch_size),
        "waiting": [action.to_mapping() for action in agent.hands.waiting],
        "review": waits,
    }
