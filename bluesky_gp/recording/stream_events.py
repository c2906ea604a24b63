"""Descriptors and events of a stream, made from its table and its arrays in Tiled.

Importing this file imports tiled.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bluesky_tiled_plugins.clients.document import Descriptor, Event
from bluesky_tiled_plugins.exporters import build_descriptor_docs

__all__ = ["documents_of_stream"]


def documents_of_stream(stream: Any, name: str, run: str, numbers: Mapping[str, int]) -> Iterator[tuple[str, Any]]:
    """Yield the documents of a stream but the events up to a number; of its arrays no more than that is read.

    Parameters
    ----------
    stream
        Tiled's client of it.
    name, run : str
        Its name, and the uid of its run.
    numbers : mapping
        By uid of a descriptor, the number of the latest event to leave out.
    """
    descriptors = [Descriptor(doc) for doc in build_descriptor_docs(dict(stream.metadata), name, run)]
    for doc in descriptors:
        yield "descriptor", doc
    known = max(numbers.get(doc["uid"], 0) for doc in descriptors)
    for row in _rows(stream, known):
        current = [doc["uid"] for doc in descriptors if doc["time"] <= row["time"]] or [descriptors[0]["uid"]]
        yield "event", _event(stream, current[-1], row)


def _event(stream: Any, descriptor: str, row: Mapping[str, Any]) -> Event:
    data = {key: row[key] for key in stream.metadata["data_keys"] if key in row}
    stamps = {key: row.get(f"ts_{key}", row["time"]) for key in data}
    event = {"uid": f"event-{descriptor}-{row['seq_num']}", "descriptor": descriptor, "data": data}
    return Event({**event, "seq_num": row["seq_num"], "time": row["time"], "timestamps": stamps})


def _rows(stream: Any, known: int) -> list[dict[str, Any]]:
    """Return the values of the events beyond a number, those in arrays as well.

    The table, of numbers and texts, is read first and whole: Tiled gives no rows of it. Whoever writes puts the arrays
    of an event there before its row, so that what the rows need is there when it is looked for.
    """
    try:
        table = stream.base["internal"].read()
    except KeyError:  # a stream that was described, and has no event yet
        return []
    begin, end = int((table["seq_num"] <= known).sum()), len(table)
    if begin == end:
        return []
    about = stream.metadata["data_keys"]
    inside = {key: node for key, node in stream.base.items() if key in about and "external" not in about[key]}
    end = min([end, *(node.shape[0] for node in inside.values())])  # while it is written anew there may be less
    arrays = {key: node.read(slice=slice(begin, end)) for key, node in inside.items()}
    rows = table.iloc[begin:end].to_dict(orient="records")
    return [row | {key: array[number] for key, array in arrays.items()} for number, row in enumerate(rows)]
