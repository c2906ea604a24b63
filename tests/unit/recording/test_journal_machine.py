"""Journals under a state machine: two sessions that live and die, a store that goes away, files that are damaged."""

import shutil
import tempfile
from itertools import count
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from memory_store import Memory, Session

from bluesky_gp.recording import read_journal
from bluesky_gp.recording.journal_folder import JournalFolder

SESSIONS = st.sampled_from("ab")


class Mortal:
    """A store as one process sees it: once that is dead, nothing of its doing arrives."""

    def __init__(self, memory):
        self.memory = memory
        self.dead = False

    def _alive(self):
        if self.dead:
            raise ConnectionError("killed")
        if self.memory.away:
            raise ConnectionError("the server went away")
        return self.memory

    def holds(self, uid):
        return self._alive().holds(uid)

    def begin(self, uid, *, own):
        run = self._alive().begin(uid, own=own)
        return MortalRun(self, run)

    def fault(self, error):
        return f"{type(error).__name__}: {error}"

    def abandon(self):
        pass

    def close(self):
        pass


class MortalRun:
    is_outdated = False

    def __init__(self, store, run):
        self._store = store
        self._run = run

    def __call__(self, name, doc):
        self._store._alive()
        self._run(name, doc)

    def flush(self):
        self._store._alive()


def kind(name, doc):
    return doc["seq_num"] if name == "event" else name


def once(kinds):
    return list(dict.fromkeys(kinds))


class Journals(RuleBasedStateMachine):
    """Whatever happens, the store has every run that a journal holds, once, and a journal every line it was given."""

    @initialize()
    def begin(self):
        self.path = Path(tempfile.mkdtemp())
        self.memory = Memory()
        self.sessions = {}  # alive ones
        self.open = {}  # session -> uid of its run and number of events
        self.lines = {}  # uid -> what its journal must hold
        self.numbers = count()

    @rule(name=SESSIONS)
    def a_session_is_opened(self, name):
        if name not in self.sessions:
            self.sessions[name] = Session(self.path, Mortal(self.memory))
            self.sessions[name].follower.wait_until_ready()

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def a_run_begins(self, data):
        name = data.draw(st.sampled_from(sorted(self.sessions)))
        if name not in self.open:
            self.open[name] = [f"run-{next(self.numbers)}-{name}", 0]
            self._emit(name, "start", "descriptor")

    @precondition(lambda self: self.open)
    @rule(data=st.data(), rewinds=st.booleans())
    def a_pixel_is_measured(self, data, rewinds):
        name = data.draw(st.sampled_from(sorted(self.open)))
        self.open[name][1] += 1
        self._emit(name, *[self.open[name][1]] * (1 + rewinds))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def a_run_ends(self, data):
        name = data.draw(st.sampled_from(sorted(self.open)))
        self._emit(name, "stop")
        del self.open[name]

    def _emit(self, name, *kinds):
        uid = self.open[name][0]
        self.sessions[name].emit(*kinds, uid=uid)
        self.lines.setdefault(uid, []).extend(kinds)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def the_catalog_is_written(self, data):
        session = self.sessions[data.draw(st.sampled_from(sorted(self.sessions)))]
        assert session.follower.flush(0.1 if self.memory.away else 5.0) or self.memory.away

    @rule(away=st.booleans())
    def the_store_goes_away_or_comes_back(self, away):
        self.memory.away = away

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def a_session_is_killed(self, data):
        self._kill(data.draw(st.sampled_from(sorted(self.sessions))))

    def _kill(self, name):
        session = self.sessions.pop(name)
        session.store.dead = True
        session.follower.close(5.0)
        self.open.pop(name, None)

    @rule(data=st.data())
    def what_the_dead_left_is_cut_anywhere(self, data):
        path, uid = self._left(data)
        if path is not None:
            content = path.read_bytes()[: data.draw(st.integers(0, path.stat().st_size))]
            path.write_bytes(content)
            del self.lines[uid][max(0, content.count(b"\n") - 1) :]

    @rule(data=st.data())
    def a_line_of_what_the_dead_left_is_doubled(self, data):
        path, uid = self._left(data)
        if path is not None and self.lines[uid]:
            first, *lines = path.read_bytes().splitlines(keepends=True)
            i = data.draw(st.integers(0, len(self.lines[uid]) - 1))
            path.write_bytes(b"".join([first, *lines[: i + 1], *lines[i:]]))
            self.lines[uid].insert(i, self.lines[uid][i])

    def _left(self, data):
        living = {uid for uid, _ in self.open.values()}
        held = {run.path for session in self.sessions.values() for run in session.follower._runs}
        left = [path for path in JournalFolder(self.path).pending() if path not in held]
        left = [path for path in left if self._uid(path) not in living]
        path = data.draw(st.sampled_from(left)) if left else None
        return path, None if path is None else self._uid(path)

    def _uid(self, path):
        return path.stem.partition("_")[2]

    def teardown(self):
        for name in list(self.sessions):
            self._kill(name)
        self.memory.away = False
        for _ in range(2):  # what was taken in once is not taken in again
            last = Session(self.path, Mortal(self.memory))
            last.follower.wait_until_ready()
            last.follower.close(5.0)
            for uid in self.lines:
                self._check(uid)
        shutil.rmtree(self.path)

    def _check(self, uid):
        path, expected = JournalFolder(self.path).find(uid), self.lines[uid]
        if "start" not in expected:
            assert path.parent.name == "pending"
            return
        assert path.parent == self.path
        kinds = [kind(*line) for line in read_journal(path)]
        assert kinds == expected if "stop" in expected else kinds == [*expected, "stop"]
        assert self.memory.runs[uid] == once(kinds)


TestJournals = Journals.TestCase
TestJournals.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
