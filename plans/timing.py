"""The time that each message of a plan takes, counted by what the instrument does in it."""

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.run import Doing

_COMMANDS: Mapping[str, Doing] = {
    "set": "moving",
    "trigger": "exposing",
    "kickoff": "exposing",
    "complete": "exposing",
    "collect": "recording",
    "read": "recording",
    "create": "recording",
    "save": "recording",
}


def timed(plan: MsgGenerator[Any], agent: GPAgent) -> MsgGenerator[None]:
    """Have an agent count what its run spends its time on: a wait as that which it waits for, pauses not at all."""
    clock, doing_of = _Clock(), _DoingOf(agent)
    yield Msg("null", clock)  # the RunEngine tells devices that it has seen of a pause
    step: Callable[[Any], Msg] = plan.send
    given: Any = None
    while True:
        try:
            message = step(given)
        except StopIteration:
            return
        doing, began = doing_of(message), clock.now
        try:
            step, given = plan.send, (yield message)
        except GeneratorExit:
            plan.close()
            raise
        except BaseException as error:
            step, given = plan.throw, error
        if doing is not None:
            agent.count(doing, clock.now - began)


class _Clock:
    """Stands still in a pause."""

    name, parent = "clock", None

    def __init__(self) -> None:
        self._lost = 0.0
        self._since: float | None = None  # when it was paused

    @property
    def now(self) -> float:
        """Seconds."""
        return (perf_counter() if self._since is None else self._since) - self._lost

    def pause(self) -> None:
        """Stop."""
        self._since = perf_counter() if self._since is None else self._since

    def resume(self) -> None:
        """Go on."""
        if self._since is not None:
            self._lost += perf_counter() - self._since
            self._since = None


class _DoingOf:
    """Says of one message after another what the instrument does in it; None: nothing that is counted."""

    def __init__(self, agent: GPAgent) -> None:
        self._asked = (agent, agent.ahead)
        self._answering = (agent.failures, agent.hands, agent.review, agent.values)
        self._groups: dict[str, Doing | None] = {}

    def __call__(self, message: Msg) -> Doing | None:
        group = message.kwargs.get("group")
        if message.command == "wait":
            return self._groups.get(group)
        doing = _COMMANDS.get(message.command)
        if message.command == "trigger" and message.obj in self._asked:
            doing = "waiting"
        elif message.command == "set" and message.obj in self._answering:
            doing = None
        if group is not None:
            self._groups[group] = doing
        return doing
