"""The shapes of plans, typed; bluesky's own decorator is not."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, Protocol, TypeVar, cast, runtime_checkable

from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator
from bluesky.utils import plan as _plan

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.stages import AnyStage

P = ParamSpec("P")
T = TypeVar("T")

Pixel = tuple[int, ...]
Reading = Mapping[str, Any]


@runtime_checkable  # blueapi checks arguments by isinstance
class PerPixel(Protocol):
    """Measures one pixel, as ``per_step`` does in `bluesky.plans`.

    Implemented by `stubs.one_pixel`, `stubs.tolerant` and users; called by `stubs.measure_pixels`.
    """

    def __call__(
        self, detectors: Sequence[Readable[Any]], stage: AnyStage, agent: GPAgent | None, pixel: Pixel
    ) -> MsgGenerator[Any]:
        """Go to `pixel` and record one event of stream ``primary``; `agent` is None in a map without one."""
        ...


PerBatch = Callable[[Sequence[Pixel]], MsgGenerator[Any]]
"""A plan called with the pixels of each batch before they are measured: drift correction, a refocus."""

PlanOfNothing = Callable[[], MsgGenerator[None]]
"""A plan without arguments."""


def plan(function: Callable[P, MsgGenerator[T]]) -> Callable[P, MsgGenerator[T]]:
    """Mark a plan, so that bluesky warns where a ``yield from`` was forgotten."""
    return cast(Callable[P, MsgGenerator[T]], _plan(function))
