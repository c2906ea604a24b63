"""Actions of people on a run: plain data, each an event of the stream ``gp_hands``."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

ADD, FORBID, ALLOW, RESTRICT, CONFIGURE = "add_pixels", "forbid", "allow", "restrict", "configure"
GO_ON, PAUSE, FINISH = "go_on", "pause", "finish"
AGREE, EDIT, VETO, LEARN = "agree", "edit", "veto", "learn_from"
KINDS = (ADD, FORBID, ALLOW, RESTRICT, CONFIGURE, GO_ON, PAUSE, FINISH, AGREE, EDIT, VETO, LEARN)
"""Kinds of actions, each named as the method of the agent that asks for it."""

REGIONS = (FORBID, ALLOW, RESTRICT)
ANSWERS = (AGREE, EDIT, VETO, FINISH)
"""Kinds that end the review of a batch."""

OF_ITS_RUN = (GO_ON, PAUSE, FINISH, *ANSWERS)
"""Kinds that mean nothing to any other run."""


@dataclass(frozen=True)
class Action:
    """One thing that a person asked for.

    Parameters
    ----------
    kind : str
        One of the kinds above.
    arguments : Mapping
        Plain data, checked.
    who : str
        Name of the person; empty: nobody, as where a review goes on by itself.
    when : float
        Seconds since 1970.
    id : str
    """

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    who: str = ""
    when: float = 0.0
    id: str = field(default_factory=lambda: uuid4().hex[:12])

    def to_mapping(self) -> dict[str, Any]:
        """Return plain data for a start document."""
        return {"id": self.id, "action": self.kind, "who": self.who, "when": self.when, "arguments": self.arguments}

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> "Action":
        """Read what `to_mapping` wrote, or an event of stream ``gp_hands`` without the agent's name."""
        arguments = value["arguments"]
        arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
        if not isinstance(arguments, Mapping):
            raise ValueError(f"the arguments of an action are a mapping, got {arguments!r:.80}")
        return cls(str(value["action"]), arguments, str(value["who"]), float(value["when"]), str(value["id"]))


def number_after(num: int | None, actions: Iterable[Action]) -> int | None:
    """Return how many pixels a run attempts that was to attempt `num`, once actions are heeded; None: no number."""
    for action in actions:
        if action.kind == CONFIGURE:
            num = action.arguments.get("num", num)
        elif action.kind == GO_ON and num is not None:
            num += action.arguments["more"]
    return num


def recorded_action(data: Mapping[str, Any], stream: str) -> Action:
    """Return the action that an event of the stream of hands is, from its data."""
    prefix = f"{stream}_"
    return Action.of({key.removeprefix(prefix): value for key, value in data.items()})


class RunActions:
    """The actions of one run, in the order of their events; of events with one seq_num the first counts.

    Parameters
    ----------
    uid : str
        Of the run.
    name : str
        Of the agent.
    inherited : sequence of Action
        Those of the run that this one resumes, which no decision has heeded yet.
    """

    def __init__(self, uid: str, name: str, inherited: Sequence[Action] = ()) -> None:
        self.actions: list[Action] = list(inherited)
        self._uid = uid
        self._stream = f"{name}_hands"
        self._descriptors: set[str] = set()
        self._seen: set[str] = {action.id for action in inherited}

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        """Take a stream in, if it is that of the actions."""
        if doc["run_start"] == self._uid and doc["name"] == self._stream:
            self._descriptors.add(doc["uid"])

    def event(self, doc: Mapping[str, Any]) -> Action | None:
        """Take an event in; return the action that it is, None if it is none or a known one."""
        if doc["descriptor"] not in self._descriptors:
            return None
        action = recorded_action(doc["data"], self._stream)
        if action.id in self._seen:
            return None
        self._seen.add(action.id)
        self.actions.append(action)
        return action
