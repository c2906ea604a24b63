"""A run of a catalog is copied as far as it goes, and of what is known no array is read again."""

from contextlib import contextmanager
from itertools import pairwise

import pytest
from view_runs import Setup, engine

from bluesky_gp.recording import RunCopy, open_catalog, read_journal
from bluesky_gp.run import RunRecord
from bluesky_gp.verify import verify

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def documents():
    """Documents of a run with a hand on it."""
    found, setup = [], Setup()

    def hear(name, doc):
        found.append((name, doc))
        if name == "event" and doc["seq_num"] == 7:
            setup.agent.forbid({"rectangle": [[0, 0], [2, 2]]}, who="jane")

    engine()(setup.map(20), hear)
    return found


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    with open_catalog(tmp_path_factory.mktemp("catalog")) as catalog:
        yield catalog


@contextmanager
def asked(catalog):
    """Note the addresses that the server is asked for."""
    urls, hooks = [], catalog.client.context.http_client.event_hooks["request"]
    hooks.append(lambda request: urls.append(request.url))
    try:
        yield urls
    finally:
        hooks.pop()


def recorded(catalog, documents):
    """Give the catalog documents, and wait until it has them."""
    for name, doc in documents:
        catalog.writer(name, doc)
    catalog.flush(60.0)


def events_of(documents):
    """Return the stream and the number of every event."""
    streams = {doc["uid"]: doc["name"] for name, doc in documents if name == "descriptor"}
    return sorted((streams[doc["descriptor"]], doc["seq_num"]) for name, doc in documents if name == "event")


def told(name, doc):
    return name, doc.get("descriptor"), doc.get("seq_num")


def test_of_a_run_that_goes_on_what_is_known_is_not_read_again_and_in_the_end_it_is_as_it_was(
    tmp_path, catalog, documents
):
    uid, copy, known = documents[0][1]["uid"], RunCopy(tmp_path), []
    for begin, end in pairwise([0, 25, 26, len(documents) - 1]):
        recorded(catalog, documents[begin:end])
        with asked(catalog) as urls:
            path = copy.renew(catalog[uid])
        slices = {tuple(url.path.split("/")[-2:]): url.params["slice"] for url in urls if "slice" in url.params}
        assert ("primary", "spectrometer_spectrum") in slices
        assert not any("/documents" in url.path or url.path.count("/full/") > len(slices) for url in urls)
        for (stream, _), rows in slices.items():
            assert int(rows.partition(":")[0]) == sum(name == stream for name, _ in known)
        known = events_of([*read_journal(path)])
        assert known == events_of(documents[:end])
    assert RunRecord.from_documents(read_journal(path)).outcomes == RunRecord.from_documents(documents).outcomes
    recorded(catalog, documents[-1:])
    with asked(catalog) as urls:
        ended = copy.renew(catalog[uid])
    assert not any("slice" in url.params for url in urls)
    copied = [*read_journal(ended)]
    assert [told(*each) for each in copied] == [told(*each) for each in catalog[uid].documents()]
    assert all(clause.holds for clause in verify(copied))
    assert copy.renew(catalog[uid]) == ended
