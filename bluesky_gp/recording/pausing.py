"""The RunEngine that calls a callback, and a pause asked of it: bluesky tells a callback neither."""

import asyncio
import inspect
from typing import TYPE_CHECKING

from bluesky_gp.recording.versions import private

if TYPE_CHECKING:
    from bluesky import RunEngine

__all__ = ["calling_engine", "pause_at_checkpoint"]


def calling_engine() -> "RunEngine | None":
    """Return the RunEngine whose plan emits the document that is being heard; None if it is none that does."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a thread without an event loop
        return None
    coroutine = None if task is None else task.get_coro()
    if not inspect.iscoroutine(coroutine):
        return None
    from bluesky import RunEngine  # whoever calls has imported it

    engine = inspect.getcoroutinelocals(coroutine).get("self")
    return engine if isinstance(engine, RunEngine) else None


def pause_at_checkpoint(engine: "RunEngine") -> bool:
    """Have a RunEngine pause at the next checkpoint, which it reaches before the next move; False if it will anyway.

    `RunEngine.request_pause` waits for the RunEngine's own thread, on which callbacks are: it would wait for ever, and
    from another thread come one checkpoint too late.
    """
    if engine.state != "running" or engine.deferred_pause_requested:
        return False
    request = private(engine, "_request_pause_coro", "bluesky")(defer=True)
    if calling_engine() is engine:
        engine.loop.create_task(request)
    else:  # a monitor's thread
        asyncio.run_coroutine_threadsafe(request, engine.loop)
    return True
