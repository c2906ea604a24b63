"""The end of a session from outside: a signal ends the run that goes on, then the process."""

import os
import signal
import stat
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any

from bluesky import RunEngine

SIGNALS = ("SIGTERM", "SIGHUP")  # of a service that is stopped, and of a terminal that is closed; Windows has no SIGHUP


def end_on_signals(engine: RunEngine, names: Sequence[str] = SIGNALS) -> None:
    """Have signals end a run as Ctrl-C twice and ``RE.abort()`` would, and then the process.

    Without it Python ends at once: nobody unstages the devices, blanks the beam or writes the run's stop document.
    A signal that is ignored (``nohup``) stays so.

    Parameters
    ----------
    engine : RunEngine
    names : sequence of str, optional
        Names of the signals. Default: SIGTERM and SIGHUP.
    """
    if not isinstance(engine, RunEngine):
        raise TypeError(f"end_on_signals: expected the RunEngine, got {type(engine).__name__} {engine!r:.60}")
    handler = _Ending(engine)
    for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


class _Ending:
    """The handler: called on the main thread, which may wait in ``RE(...)`` and must not be kept from it."""

    def __init__(self, engine: RunEngine) -> None:
        self._engine = engine
        self._aborting = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if name == "SIGHUP":
            _let_go_of_the_terminal()
        if self._engine.state == "paused":
            self._engine.abort(f"{name} while paused")
        elif self._engine.state not in ("idle", "panicked"):
            if not self._aborting:
                self._aborting = True
                threading.Thread(target=self._abort, args=(number, name), daemon=True).start()
            return
        _exit(128 + number)

    def _abort(self, number: int, name: str) -> None:
        """Abort the run from a thread of its own, wait for its end, and call the handler again to exit."""
        try:
            self._engine.abort(name)
        except Exception:  # noqa: BLE001, S110 - the run ended by itself meanwhile
            pass
        while self._engine.state not in ("idle", "paused", "panicked"):
            threading.Event().wait(0.05)
        os.kill(os.getpid(), number)


def _let_go_of_the_terminal() -> None:
    """Write to nowhere instead of to a terminal that is gone: bluesky prints while it aborts, and would fail in it."""
    with open(os.devnull, "r+b") as nowhere:
        for descriptor in range(3):
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                os.dup2(nowhere.fileno(), descriptor)


def _exit(status: int) -> None:
    """Leave Python in order; IPython, which takes a SystemExit within a command for a slip, is asked to end as well."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None and hasattr(shell, "ask_exit"):
        shell.ask_exit()
    raise SystemExit(status)
