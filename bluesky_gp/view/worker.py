"""Maps that take long, computed by a process of its own: the server answers others meanwhile.

python -m bluesky_gp.view.worker

A line of JSON on its standard input is a question, ``[JOURNAL, UID, DECISION]``; the answer is a line with its size,
and the frame, or nothing where it cannot be computed. It ends when its input does, as when its server is killed.
"""

import json
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from bluesky_gp.priority import step_back
from bluesky_gp.view.followed import FollowedRun
from bluesky_gp.view.frames import Frame

_NICE = 5  # more than the server


class Worker:
    """The process that computes maps, started when it is first asked."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()
        self._is_closed = False

    def frame(self, journal: Path, uid: str, number: int) -> Frame:
        """Return the maps of a decision, computed from the record.

        Raises
        ------
        ValueError
            If they cannot be computed.
        """
        with self._guard:
            if self._is_closed:  # the page has gone while somebody waited
                raise ValueError("the process that computes maps has been ended")
            answers, questions = self._pipes()
            questions.write(json.dumps([str(journal), uid, number]).encode() + b"\n")
            questions.flush()
            size = answers.readline()
            body = answers.read(int(size)) if size else b""
        if not body:
            raise ValueError(f"the maps of decision {number} of run {uid[:8]} cannot be computed")
        return Frame(number, "recalled", body)

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-m", "bluesky_gp.view.worker"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._process.stdout is None or self._process.stdin is None:
            raise RuntimeError("a process without pipes")
        return self._process.stdout, self._process.stdin

    def close(self) -> None:
        """End the process, for good."""
        self._is_closed = True
        if self._process is not None:
            self._process.kill()  # whoever waits for its answer, and has the guard, gets none
        with self._guard:
            if self._process is not None:
                self._process.kill()
                self._process.communicate()


def work(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer one question after another, until there are no more."""
    from bluesky_gp.optimizer import OptimizerState
    from bluesky_gp.view.moments import Moment, maps_of

    runs: dict[str, FollowedRun] = {}
    last: tuple[str, int, OptimizerState | None] = "", 0, None
    paths: dict[str, Path] = {}
    for question in questions:
        journal, uid, number = json.loads(question)
        if (path := Path(journal)).name != paths.setdefault(uid, path).name:
            runs.pop(uid, None)  # another copy of it
        paths[uid] = path
        try:
            run = runs.setdefault(uid, FollowedRun(uid, partial(paths.__getitem__, uid)))
            before = last[2] if last[:2] == (uid, number - 1) else None
            moment = Moment(run.record(), number, before)
            body = Frame.of(number, "recalled", maps_of(moment)).body
            last = uid, number, moment.state
        except Exception:  # it is raised again, and said, where somebody waits for it
            body = b""
        answers.write(str(len(body)).encode() + b"\n" + body)
        answers.flush()


if __name__ == "__main__":
    step_back(_NICE)
    with suppress(KeyboardInterrupt, BrokenPipeError):
        work(sys.stdin.buffer, sys.stdout.buffer)
