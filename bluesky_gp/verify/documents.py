"""Clauses of any run: its documents are valid, in order and complete."""

from collections import Counter

from event_model import DocumentNames, schema_validators

from bluesky_gp.verify.evidence import BrokenClause, Document, Evidence


def valid(run: Evidence) -> str:
    """Every document follows the schema of its kind."""
    for number, (name, doc) in enumerate(run.documents, start=1):
        error = next(schema_validators[DocumentNames[name]].iter_errors(doc), None)
        if error is not None:
            where = ".".join(map(str, error.absolute_path))
            raise BrokenClause(f"document {number}, {_named(run, name, doc)}: {where or name}: {error.message:.200}")
    if run.damage:
        raise BrokenClause(f"after {len(run.documents)} documents: {run.damage}")
    return f"{len(run.documents)} documents follow event-model's schemas"


def _named(run: Evidence, name: str, doc: Document) -> str:
    if name != "event":
        return name
    stream = run.descriptors.get(doc.get("descriptor", ""), {}).get("name", "?")
    return f"event {doc.get('seq_num')} of stream {stream}"


def in_order(run: Evidence) -> str:
    """A start document comes first; each event has its descriptor, its keys and its number."""
    if not run.documents or run.documents[0][0] != "start":
        raise BrokenClause("the first document is no start document")
    uid, known, last = run.start["uid"], {}, Counter[str]()
    for name, doc in run.documents[1:]:
        if name in ("descriptor", "stop") and doc["run_start"] != uid:
            raise BrokenClause(f"a {name} is of another run, {doc['run_start']}")
        if name == "descriptor":
            known[doc["uid"]] = doc
        elif name == "event":
            _check_event(doc, known.get(doc["descriptor"]), last)
    if run.stop and run.documents[-1][0] != "stop":
        raise BrokenClause(f"a document of kind {run.documents[-1][0]} comes after the stop document")
    counts = ", ".join(f"{descriptor['name']} {last[key]}" for key, descriptor in known.items())
    return f"events by stream: {counts}" if counts else "no events"


def _check_event(doc: Document, descriptor: Document | None, last: Counter[str]) -> None:
    """Raise unless an event has its descriptor's keys and the next number, or one that was there: a rewind repeats."""
    number = doc["seq_num"]
    if descriptor is None:
        raise BrokenClause(f"event {number} has no descriptor {doc['descriptor']} before it")
    stream, key = descriptor["name"], doc["descriptor"]
    if number > last[key] + 1:
        raise BrokenClause(f"stream {stream}: after event {last[key]} comes event {number}")
    inside = {key for key, about in descriptor["data_keys"].items() if about.get("external") != "STREAM:"}
    if doc["data"].keys() != inside:
        odd = ", ".join(sorted(doc["data"].keys() ^ inside))
        raise BrokenClause(f"event {number} of stream {stream}: {odd} stand in it or in its descriptor alone")
    last[key] = max(last[key], number)


def complete(run: Evidence) -> str:
    """A stop document counts the events that there are."""
    if not run.stop:
        raise BrokenClause("there is no stop document: the run goes on, or the session that measured it died")
    names = [name for name, _ in run.events()]
    for stream, number in run.stop.get("num_events", {}).items():
        if number != names.count(stream):
            raise BrokenClause(f"stream {stream} has {names.count(stream)} events, and the stop document says {number}")
    reason = f", {run.stop['reason']}" if run.stop.get("reason") else ""
    return f"the stop document counts {len(names)} events; it ended as {run.stop['exit_status']}{reason}"
