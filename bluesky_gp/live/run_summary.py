"""What a run found, when it has ended: a table in the terminal or the notebook."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from bluesky_gp.live.progress import ProgressReader, RunProgress
from bluesky_gp.run import agent_entry


class RunSummary(ProgressReader):
    """Print what a run found, when it has ended.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where it is printed. Default: standard output.

    Examples
    --------
    >>> from bluesky import RunEngine
    >>> from bluesky_gp.live import RunSummary
    >>> RE = RunEngine()
    >>> token = RE.subscribe(RunSummary())
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(self._note)
        self._console = console
        self._start: Mapping[str, Any] = {}
        self._latest: RunProgress | None = None

    def _note(self, progress: RunProgress) -> None:
        self._latest = progress

    def start(self, doc: Mapping[str, Any]) -> None:
        """Begin with a run, if an agent steers it."""
        super().start(doc)
        if agent_entry(doc) is not None:
            self._start, self._latest = doc, None

    def stop(self, doc: Mapping[str, Any]) -> None:
        """Print, if it is that run which ends."""
        if doc["run_start"] != self._start.get("uid") or self._latest is None:
            return
        table = Table(show_header=False, title=f"run {doc['run_start'][:8]}", title_justify="left")
        for name, value in self._rows(doc, self._latest).items():
            table.add_row(name, value)
        (self._console or Console()).print(table, markup=False)

    def _rows(self, doc: Mapping[str, Any], latest: RunProgress) -> dict[str, str]:
        seconds = doc["time"] - self._start["time"]
        why = doc.get("reason") or latest.stop_reason or "-"
        return {
            "ended": f"{doc['exit_status']}, {'all measured' if why == 'num' else why}",
            "pixels": f"{latest.done} attempted, {latest.failed} failed",
            "best": latest.best.removeprefix("best ") or "none",
            "time": f"{timedelta(seconds=round(seconds))}, {seconds / max(latest.done, 1):.3g} s a pixel",
            "look again": f"bluesky-gp show {doc['run_start'][:8]}",
        }
