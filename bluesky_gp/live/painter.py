"""The painter: a process that hears documents on its standard input and draws, so that a session need not.

    python -m bluesky_gp.live.painter [--file PICTURE.png] [--interval SECONDS]

A document is a line, as in a journal. On standard output it says how many documents each picture has seen.
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluesky_gp.live.inbox import Inbox
from bluesky_gp.live.picture import SIZE, draw
from bluesky_gp.priority import step_back

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NO_DISPLAY = 3  # exit code
REST = 3.0  # pauses between pictures, in times that drawing one takes: the session needs the processors


def paint_file(inbox: Inbox, path: Path, interval: float) -> None:
    """Renew a picture until nothing more comes."""
    from matplotlib.figure import Figure

    while not (inbox.ended and not inbox.is_new):
        inbox.wait()
        began = time.monotonic()
        run, n_heard = inbox.take()
        if run is not None:
            figure = Figure(figsize=SIZE, layout="constrained")
            draw(run, figure)
            _replace(path, figure)
        _tell(n_heard)
        pause_until = time.monotonic() + max(interval, REST * (time.monotonic() - began))
        while time.monotonic() < pause_until and not inbox.ended:
            time.sleep(0.05)


def paint_window(inbox: Inbox, interval: float) -> bool:
    """Draw into a window until it is closed or nothing more comes; return whether there was one."""
    from matplotlib import pyplot

    figure = pyplot.figure("bluesky_gp", figsize=SIZE, layout="constrained")
    if not hasattr(figure.canvas.manager, "window"):
        return False
    next_time = time.monotonic()

    def renew() -> None:
        nonlocal next_time
        if inbox.ended and not inbox.is_new:
            pyplot.close(figure)
        elif inbox.is_new and (time.monotonic() >= next_time or inbox.ended):
            began = time.monotonic()
            _redraw(figure, inbox)
            next_time = time.monotonic() + max(interval, REST * (time.monotonic() - began))

    timer = figure.canvas.new_timer(interval=100)
    timer.add_callback(renew)
    timer.start()
    pyplot.show()
    return True


def _redraw(figure: "Figure", inbox: Inbox) -> None:
    run, n_heard = inbox.take()
    if run is not None:
        figure.clear()
        draw(run, figure)
        figure.canvas.draw()
    _tell(n_heard)


def _replace(path: Path, figure: "Figure") -> None:
    """Write a picture beside the one that there is, and put it in its place: nobody sees half of one."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.image import imsave

    part = path.with_name(f".{path.name}.part")
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()  # savefig draws twice
    imsave(part, canvas.buffer_rgba(), format="png")
    os.replace(part, path)


def _tell(n_heard: int) -> None:
    print(n_heard, flush=True)


def main() -> int:
    """Paint until standard input ends, or the window is closed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", type=Path)
    parser.add_argument("--interval", type=float, default=1.0)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the RunEngine's
    step_back(15)
    inbox = Inbox(open(0, "rb", closefd=False))  # not sys.stdin, which ends the interpreter badly while it is read
    if options.file is not None:
        paint_file(inbox, options.file, options.interval)
    elif not paint_window(inbox, options.interval):
        return NO_DISPLAY
    if inbox.error is not None:
        raise inbox.error
    return 0


if __name__ == "__main__":
    sys.exit(main())
