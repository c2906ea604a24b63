"""A run out of a list of documents, where a run of a catalog is asked for."""


class Recorded:
    """Gives its documents, as a run of a catalog does."""

    def __init__(self, documents):
        self._documents = documents

    def documents(self):
        return iter(self._documents)
