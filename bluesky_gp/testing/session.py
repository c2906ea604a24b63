"""A RunEngine session for the contracts: plans are run as users run them, every document validated."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import isawaitable
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import numpy as np
from bluesky import RunEngine
from bluesky.protocols import Triggerable
from bluesky.run_engine import get_bluesky_event_loop
from bluesky.utils import FailedStatus, Msg, MsgGenerator
from event_model import DocumentNames, schema_validators

from bluesky_gp.plans import start_and_wait

KINDS = {"number": "fiu", "integer": "iu", "boolean": "b", "string": "US", "array": "fiubUS"}
"""Kinds of numpy dtypes by what `describe` calls them."""

_STEP = 0.02  # s between two looks at a Status


class Session:
    """Runs plans on the event loop that bluesky has already, where ophyd-async devices were connected."""

    def __init__(self) -> None:
        self.documents: list[tuple[str, Mapping[str, Any]]] = []
        loop = get_bluesky_event_loop()
        running = loop is not None and loop.is_running()
        self._engine = RunEngine({}, loop=loop if running else None, context_managers=[], call_returns_result=True)
        self._engine.subscribe(self._take)

    def run(self, plan: MsgGenerator[Any]) -> Any:
        """Run a plan, return what it returns; a device that raises, raises here."""
        return getattr(self._engine(plan), "plan_result")  # noqa: B009 - a tuple with other options

    def events(self) -> list[Mapping[str, Any]]:
        """Data of every event so far."""
        return [document["data"] for name, document in self.documents if name == "event"]

    def descriptors(self) -> list[Mapping[str, Any]]:
        """Every descriptor so far."""
        return [document for name, document in self.documents if name == "descriptor"]

    def _take(self, name: str, document: Mapping[str, Any]) -> None:
        schema_validators[DocumentNames[name]].validate(document)
        self.documents.append((name, document))


def staged(devices: Sequence[Any], plan: MsgGenerator[Any], *, record: bool = False) -> MsgGenerator[Any]:
    """Run `plan` with devices staged, in a run of its own if `record`."""
    inner = bpp.run_wrapper(plan) if record else plan
    return (yield from bpp.stage_wrapper(inner, list(devices)))


def reading(device: Any) -> MsgGenerator[dict[str, Any]]:
    """Read one device outside any event."""
    read: dict[str, Any] = yield Msg("read", device)
    return read


def ended(starts: Iterable[Msg], timeout: float, name: str) -> MsgGenerator[None]:
    """Wait until what was started has ended; AssertionError if it does not within `timeout` seconds."""
    try:
        yield from start_and_wait(list(starts), timeout=timeout)
    except TimeoutError as error:
        raise AssertionError(
            f"{name}: its Status did not end within {timeout:g} s. Finish it, or set it to an exception, in every case "
            f"(or raise the contract's `timeout`, if the instrument is slow)"
        ) from error


def outcome(starts: Sequence[Msg], then: Sequence[Msg], timeout: float) -> MsgGenerator[bool]:
    """Send `starts`, then `then`; return whether every Status of `starts` ended, well or badly."""
    started = []
    for message in starts:
        started.append((yield from _tolerated(message)))
    for message in then:
        yield from _tolerated(message)
    for _ in range(max(1, int(timeout / _STEP))):
        if all(status is None or status.done for status in started):
            break
        yield from _tolerated(Msg("sleep", None, _STEP))
    yield from _tolerated(Msg("sleep", None, _STEP))  # a failure is told to the plan a moment after the Status ended
    return all(status is None or status.done for status in started)


def _tolerated(message: Msg) -> MsgGenerator[Any]:
    try:
        return (yield message)
    except FailedStatus:
        return None


def recorded(device: Any, timeout: float) -> MsgGenerator[None]:
    """Trigger (if it can be triggered) and read a device into one event."""
    if isinstance(device, Triggerable):
        yield from ended([Msg("trigger", device)], timeout, str(getattr(device, "name", device)))
    yield from bps.create()
    yield Msg("read", device)
    yield from bps.save()


def nothing() -> MsgGenerator[None]:
    """Do nothing."""
    yield Msg("null")


def called(method: Callable[[], Any]) -> MsgGenerator[None]:
    """Call a method, perhaps a coroutine, on the RunEngine's thread."""
    answer = method()
    if isawaitable(answer):
        yield Msg("wait_for", None, [lambda: answer])
    yield Msg("null")


def disagreement(key: str, data_key: Mapping[str, Any], value: Any) -> str:
    """Say where a value is not what its data key says, "" if it is."""
    array = np.asarray(value)
    shape = data_key["shape"]
    if len(shape) != array.ndim or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
        return f"{key}: the value has shape {array.shape}, describe() says {shape}"
    if array.dtype.kind not in KINDS[data_key["dtype"]]:
        return f"{key}: the value is {array.dtype}, describe() says dtype {data_key['dtype']!r}"
    said = data_key.get("dtype_numpy")
    if data_key["dtype"] == "array" and not said:
        return f"{key}: an array needs dtype_numpy (such as {array.dtype.str!r}), or a catalog must guess it"
    if isinstance(said, str) and array.dtype.kind != "U" and not _holds(np.dtype(said), value):
        return f"{key}: the value is {array.dtype.str}, describe() says dtype_numpy {said!r}"
    return ""


def _holds(said: "np.dtype[Any]", value: Any) -> bool:
    """Whether a value is of the dtype that was said; a Python number has none of its own, but must fit."""
    if isinstance(value, np.ndarray):
        return bool(value.dtype == said)
    return bool(np.can_cast(np.asarray(value).dtype, said, casting="same_kind"))
