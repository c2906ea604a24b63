"""Start several things, and wait until all of them have ended; read until there is an answer.

`bps.wait` returns at the first failed Status of a group, and the second failure is then thrown wherever the plan
happens to be: into the next pixel, which is blamed for it. Here every start has a group of its own.
"""

from collections.abc import Iterable
from itertools import count
from typing import Any
from weakref import WeakSet

from bluesky.protocols import Status, Stoppable
from bluesky.utils import FailedPause, FailedStatus, Msg, MsgGenerator, RunEngineControlException

from bluesky_gp.plans.typing import Reading

_numbers = count()
_given_up: "WeakSet[Status]" = WeakSet()  # timed out: when they fail at last, nobody is to be blamed any more

PAUSES = 3  # in a row, each at the very message that reads the answer
_GRACE = 1.0  # s that a device has to end after it was told to stop

ENDING = (RunEngineControlException, FailedPause)  # abort, stop: the plan is over, nothing is waited for


def start_and_wait(starts: Iterable[Msg], *, timeout: float | None = None) -> MsgGenerator[None]:
    """Send every message, wait for every Status, then raise the first error.

    Parameters
    ----------
    starts : iterable of Msg
        ``set`` or ``trigger`` messages; their group is given here.
    timeout : float, optional
        In s, for each Status.
    """
    errors: list[Exception] = []
    started: list[tuple[str, Any, Any]] = []
    for message in starts:
        group = f"bluesky_gp-{next(_numbers)}"
        status = yield from attempt(message._replace(kwargs={**message.kwargs, "group": group}), errors)
        started.append((group, status, message.obj))
    for group, status, device in started:
        yield from attempt(Msg("wait", None, group=group, timeout=timeout), errors)
        if timeout is not None and status is not None and not status.done:
            yield from _give_up(group, status, device)
    if errors:
        raise errors[0]


def answered(device: Any) -> MsgGenerator[Reading]:
    """Read a device until it answers: a pause loses the answer of the message which it interrupts.

    A simulated plan has no answers at all, so it is not asked for ever.
    """
    for _ in range(PAUSES):
        reading: Reading | None = yield Msg("read", device)
        if reading:
            return reading
        yield Msg("checkpoint")
    return {}


def _give_up(group: str, status: Status, device: Any) -> MsgGenerator[None]:
    """Stop a device that took too long, so that it can be started again, and let it end."""
    _given_up.add(status)
    if isinstance(device, Stoppable):
        yield from attempt(Msg("stop", device), [])
        yield from attempt(Msg("wait", None, group=group, timeout=_GRACE), [])


def attempt(message: Msg, errors: list[Exception]) -> MsgGenerator[Any]:
    """Send a message; an error is appended to `errors`, unless the plan is over."""
    try:
        return (yield message)
    except ENDING:
        raise
    except FailedStatus as error:
        if not any(argument in _given_up for argument in error.args):
            errors.append(error)
    except Exception as error:
        errors.append(error)
    return None
