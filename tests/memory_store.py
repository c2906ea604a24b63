"""A store that keeps runs in memory, and a session that records into it: for tests of journals and their follower."""

import threading

from bluesky_gp.recording.follower import Follower
from bluesky_gp.recording.journal_folder import JournalFolder
from bluesky_gp.recording.recorder import Recorder


class Memory:
    """A store; while it is `away`, or for a document in `refused`, it raises."""

    def __init__(self):
        self.runs = {}
        self.away = False
        self.refused = []
        self.threads = set()

    def begin(self, uid, *, own):
        self.runs[uid] = []
        return MemoryRun(self, uid)

    def holds(self, uid):
        return self.runs.get(uid, [])[-1:] == ["stop"]

    def fault(self, error):
        return f"{type(error).__name__}: {error}"

    def abandon(self):
        self.away = True

    def close(self):
        self.threads.add(threading.current_thread())


class MemoryRun:
    def __init__(self, memory, uid):
        self._memory = memory
        self._uid = uid

    def __call__(self, name, doc):
        self._memory.threads.add(threading.current_thread())
        if self._memory.away or name in self._memory.refused:
            raise ConnectionError("the server went away")
        self._memory.runs[self._uid].append(name if name != "event" else doc["seq_num"])

    is_outdated = False

    def flush(self):
        pass


class Session:
    """A recorder and the thread behind it, over a folder."""

    def __init__(self, path, store):
        self.store = store
        self.folder = JournalFolder(path)
        self.follower = Follower(self.folder, lambda: store, place="memory")
        self.recorder = Recorder(self.folder, self.follower, fsync="never")

    def emit(self, *names, uid="run-1", wait=5.0):
        """Emit documents, events by their numbers; after a stop wait as somebody who reads does."""
        for name in names:
            pending = list(self.follower._runs)
            self.recorder(name if isinstance(name, str) else "event", document(name, uid))
            if name == "stop":
                self.follower.hurry()
                [run.settled.wait(wait) for run in pending if run.uid == uid]


def document(name, uid):
    match name:
        case "start":
            return {"uid": uid, "time": 1.0}
        case "descriptor":
            return {"uid": f"d-{uid}", "run_start": uid, "time": 2.0, "name": "primary", "data_keys": {}}
        case "stop":
            return {"uid": f"s-{uid}", "run_start": uid, "time": 9.0, "exit_status": "success"}
    return {"uid": f"e{name}", "descriptor": f"d-{uid}", "time": 3.0, "seq_num": name, "data": {}, "timestamps": {}}
