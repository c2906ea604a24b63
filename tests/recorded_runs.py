"""Runs as they are found afterwards: as a catalog has them, or a session that was killed."""

import json

from event_model import pack_event_page

from bluesky_gp.recording import Journal

NUM = 23


class Recorded:
    """A run as a catalog has it."""

    def __init__(self, documents):
        self._documents = documents
        self.metadata = {"start": documents[0][1], "stop": documents[-1][1]}

    def documents(self):
        return iter(self._documents)


def cut(documents, count, path):
    """Write the journal of a session that was killed after so many documents, in the middle of writing the next."""
    journal = Journal(path)
    for name, doc in documents[:count]:
        journal.append(name, doc)
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"name":"event","doc":{"descr')
    return path


def after_pixels(documents, count):
    """How many documents there are when the event of the `count`-th pixel has been emitted."""
    return after_event(documents, "det_height", count)


def after_event(documents, key, count):
    """How many documents there are when `count` events that carry a key have been emitted; at least those before."""
    places = [i for i, (name, doc) in enumerate(documents) if name == "event" and key in doc["data"]]
    return places[count - 1] + 1 if count else places[0]


class Run:
    """A run of any catalog: it has its documents."""

    def __init__(self, documents):
        self.all = documents

    def documents(self):
        return iter(self.all)


def through_text(documents):
    """The same documents after a round through plain JSON, as a database keeps them."""
    return [(name, json.loads(json.dumps(doc, default=lambda o: o.tolist()))) for name, doc in documents]


def in_pages(documents):
    """The same documents, neighbouring events of a stream in one page, as a server or a flyer gives them."""
    paged, page = [], []
    for name, doc in [*documents, ("end", {})]:
        if page and (name != "event" or doc["descriptor"] != page[-1]["descriptor"]):
            paged.append(("event_page", pack_event_page(*page)))
            page = []
        if name == "event":
            page.append(doc)
        else:
            paged.append((name, doc))
    return paged[:-1]
