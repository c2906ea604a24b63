from pathlib import Path

import pytest
from journals import RUN, START, write

from bluesky_gp.recording import Journal, JournalError, read_journal


def test_a_journal_is_never_overwritten(tmp_path):
    path = write(tmp_path / "a.jsonl", RUN)
    with pytest.raises(JournalError, match=r"a\.jsonl cannot be written"):
        Journal(path)
    assert len(list(read_journal(path))) == len(RUN)


@pytest.mark.parametrize("fsync", ["document", "second", "never"])
def test_every_fsync_policy_writes_at_once(tmp_path, fsync):
    journal = Journal(tmp_path / "a.jsonl", fsync=fsync)
    journal.append("start", START)
    journal.sync()
    assert list(read_journal(journal.path)) == [("start", START)]
    journal.close()
    journal.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here to stand for a full disk")
def test_a_full_disk_is_an_error_that_names_the_folder():
    class Full(Journal):
        def __init__(self):
            super().__init__(Path("/dev/full"))

    with pytest.raises(JournalError, match="/dev/full cannot be written"):
        Full()
