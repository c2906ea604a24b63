"""Runs as they are found after a session that was killed."""

import json

from bluesky_gp.recording import Journal

NUM = 23


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
