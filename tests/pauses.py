"""Pauses at chosen messages of a plan, each resumed."""

import threading

from bluesky.utils import RunEngineInterrupted


def pausing(RE, numbers, seen):  # noqa: N803
    """Ask for an immediate pause at each of some messages, counted from the beginning of the plan."""

    def hook(message):
        seen.append(message.command)
        if len(seen) - 1 in numbers:
            threading.Thread(target=asking, daemon=True).start()

    def asking():
        try:
            RE.request_pause()
        except Exception:  # noqa: BLE001, S110 - the plan is over already
            pass

    RE.msg_hook = hook


def to_the_end(RE, plan):  # noqa: N803
    try:
        RE(plan)
    except RunEngineInterrupted:
        while RE.state == "paused":
            try:
                RE.resume()
            except RunEngineInterrupted:
                continue
