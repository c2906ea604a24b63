import pytest
from journals import RUN, START, STOP, same, write

from bluesky_gp.recording import Journal, JournalError, JournalReader, read_journal


def test_a_journal_reads_back_as_it_was_written(tmp_path):
    path = write(tmp_path / "a.jsonl", RUN)
    assert all(
        name == other and same(doc, back) for (name, doc), (other, back) in zip(RUN, read_journal(path), strict=True)
    )


def test_a_journal_cut_anywhere_yields_the_complete_lines_before(tmp_path):
    path = write(tmp_path / "a.jsonl", RUN)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        n_lines = whole[:length].count(b"\n")
        assert [name for name, _ in read_journal(path)] == [name for name, _ in RUN][: max(0, n_lines - 1)]


def test_a_reader_goes_on_where_it_stopped(tmp_path):
    journal = Journal(tmp_path / "a.jsonl")
    reader = JournalReader(journal.path)
    assert list(reader.read()) == []
    journal.append("start", START)
    assert list(reader.read()) == [("start", START)]
    journal.append("stop", STOP)
    assert list(reader.read()) == [("stop", STOP)]
    journal.close()


def test_a_damaged_line_is_named_and_what_stands_before_it_is_read(tmp_path):
    path = write(tmp_path / "a.jsonl", RUN)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = b"\x00" * 20 + b"\n"
    path.write_bytes(b"".join(lines))
    reader = read_journal(path)
    assert [next(reader)[0], next(reader)[0]] == ["start", "descriptor"]
    with pytest.raises(JournalError, match=r"a\.jsonl, line 4 is damaged"):
        next(reader)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"name":"start","doc":{}}\n')
    with pytest.raises(JournalError, match="no journal that this version reads"):
        list(read_journal(path))
