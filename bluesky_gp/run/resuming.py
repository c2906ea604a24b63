"""A recorded run read back as what another begins with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import chain
from os import PathLike
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from bluesky_gp.protocols import Optimizer, Scalarizer
from bluesky_gp.recording import JournalReader, is_held, read_journal
from bluesky_gp.run.decision import Decision
from bluesky_gp.run.events import Outcome
from bluesky_gp.run.history import History, Step, after
from bluesky_gp.run.record import RunRecord

SCHEMA_VERSION = 1
"""Of what the start document says under ``gp``, and of the agent's streams."""

_TAKING_IN = 2.0  # s, that a session needs at most to see how a journal ends

Documents = Iterable[tuple[str, Mapping[str, Any]]]


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Versions of what the decisions are computed with."""
    return tuple((package, version(package)) for package in ("bluesky_gp", "numpy", "scipy", "scikit-learn", "bluesky"))


class ResumeError(ValueError):
    """A run that cannot be gone on with; the message names the difference."""


@dataclass(frozen=True, eq=False)
class Resumed:
    """What a run that is resumed had learnt, and the decision at which it was left."""

    history: History
    decision: Decision


def resume(
    run: Any,
    optimizer: Optimizer,
    mine: Mapping[str, Any],
    num: int | None,
    *,
    catalog: Any = None,
    scalarizer: Scalarizer | None = None,
) -> Resumed:
    """Read a run and come to the state in which it was left; changes nothing.

    Parameters
    ----------
    run, catalog : optional
        See `documents_of`.
    optimizer : Optimizer
    mine : Mapping
        What the new run will say of itself under ``gp``.
    num : int or None
        Pixels that the two runs together are to attempt.
    scalarizer : callable, optional
        The agent's.

    Raises
    ------
    ResumeError
        If there is no such run, it still goes on, has other settings, or has attempted more pixels already.
    """
    documents = iter(documents_of(run, catalog))
    first = next(documents, ("", {}))
    gp = first[1].get("gp")
    if not gp or not isinstance(gp, Mapping):
        raise ResumeError(f"{run} is no run that a GPAgent steered: its start document has no 'gp'")
    check(gp, mine)
    record = RunRecord.from_documents(
        chain([first], documents), scalarizer=scalarizer, others=mine.get("other_keys", {})
    )
    if not record.stop:
        _check_over(_journal_of(run, catalog) or _journal_of(record.start["uid"], catalog))
    history = history_of(record)
    if num is not None and num < len(history.attempted):
        raise ResumeError(
            f"run {history.uid} has attempted {len(history.attempted)} pixels already, and num={num} counts those as "
            f"well; give the number of pixels that both runs are to have"
        )
    return Resumed(history, after(optimizer, history))


def documents_of(run: Any, catalog: Any = None) -> Documents:
    """Return the documents of a recorded run.

    Parameters
    ----------
    run : run, path or str
        A run of a catalog (anything with ``documents()``); the path of a journal; or what finds a run in `catalog`: a
        uid, the beginning of one, a number.
    catalog : optional
        Where it is looked up. Its journals are preferred: they have the documents as they were emitted.

    Raises
    ------
    ResumeError
        If there is no such run, or several uids begin so.
    """
    if hasattr(run, "documents"):
        return run.documents()  # type: ignore[no-any-return]
    journal = _journal_of(run, catalog)
    if journal is not None:
        return read_journal(journal)
    if catalog is None:
        raise ResumeError(
            f"there is no journal {str(run)!r}, and no catalog to look it up in: give the path of a journal, a run of "
            f"a catalog, or a uid and GPAgent(..., catalog=open_catalog(...))"
        )
    try:
        return catalog[run].documents()  # type: ignore[no-any-return]
    except (KeyError, IndexError, ValueError) as error:
        raise ResumeError(f"{catalog} has no run {run!r}: {error}") from error


def _journal_of(run: Any, catalog: Any) -> Path | None:
    if isinstance(run, PathLike):
        if not Path(run).is_file():
            raise ResumeError(f"there is no journal {str(run)!r}")
        return Path(run)
    if not isinstance(run, str):
        return None
    if Path(run).is_file():
        return Path(run)
    try:
        return catalog.journal(run) if hasattr(catalog, "journal") else None
    except ValueError as error:
        raise ResumeError(str(error)) from error


def _check_over(journal: Path | None) -> None:
    """Raise if a run that has no stop document is still being measured, rather than left by a session that died.

    A session that takes it in holds the lock as well, but adds the stop document first.
    """
    reader, until = JournalReader(journal or Path()), monotonic() + _TAKING_IN
    while journal is not None and is_held(journal) and not _has_stopped(reader):
        if monotonic() > until:
            raise ResumeError(
                f"the run still goes on: a session that lives writes its journal {journal}. Let the run end there, by "
                f"RE.abort() if it is paused, or end that session"
            )
        sleep(0.1)


def _has_stopped(reader: JournalReader) -> bool:
    try:
        return any(name == "stop" for name, _ in reader.read())
    except FileNotFoundError:  # put away, now that the catalog has it
        return True


def history_of(record: RunRecord) -> History:
    """Return what a run that resumes `record` begins with: what that one inherited, and all that it added.

    A last decision that proposed nothing is left out: whether there is more to measure is asked again.
    """
    steps = [*inherited(record).steps, *steps_of(record)]
    while steps and not steps[-1].proposed:
        steps.pop()
    base = inherited(record)
    outcomes = (*base.learnt, *base.unlearnt, *record.outcomes)
    learnt = sum(len(step.learnt) for step in steps)
    return History(record.start["uid"], base.known, tuple(steps), tuple(outcomes[learnt:])).untimed


def inherited(record: RunRecord) -> History:
    """Return what a run began with."""
    return History.of(record.start["gp"])


def steps_of(record: RunRecord) -> list[Step]:
    """Return the decisions of one run, in order.

    Raises
    ------
    ValueError
        If one of them is missing, or pixels that one of them knew.
    """
    base, columns = inherited(record), record.iterations
    outcomes = (*base.learnt, *base.unlearnt, *record.outcomes)
    first, taken = len(base.steps), len(base.learnt)
    steps: list[Step] = []
    for number in range(len(columns.get("iteration", ()))):
        if columns["iteration"][number] != first + number:
            raise ValueError(f"the record of run {record.start['uid']} lacks iteration {first + number}")
        known = int(columns["n_outcomes"][number])
        if not taken <= known <= len(outcomes):
            raise ValueError(
                f"the record of run {record.start['uid']} lacks pixels: iteration {first + number} knew {known}, and "
                f"there are {len(outcomes)}. If the catalog was written in part, take the journal"
            )
        rows = [row for row in columns["proposed"][number].astype(int).tolist() if row[0] >= 0]
        proposed = tuple(record.grid.ravel(rows).tolist()) if rows else ()
        steps.append(Step(outcomes[taken:known], _asked(record, outcomes[:known], proposed), proposed))
        taken = known
    return steps


def _asked(record: RunRecord, known: Iterable[Outcome], proposed: tuple[int, ...]) -> int:
    """For how many pixels the optimizer was asked: a map that ends has fewer left."""
    gp = record.start["gp"]
    if not proposed:
        return 0  # the run ended there
    if gp.get("num") is None:
        return int(gp["batch_size"])
    return min(int(gp["batch_size"]), int(gp["num"]) - len({outcome.pixel for outcome in known}))


def check(gp: Mapping[str, Any], mine: Mapping[str, Any]) -> None:
    """Compare what two runs say of themselves under ``gp``.

    Raises
    ------
    ResumeError
        If grid, target or kernel differ, or this version does not read the record.
    """
    schema = gp.get("schema_version")
    if schema != SCHEMA_VERSION:
        raise ResumeError(
            f"the run has gp.schema_version {schema!r}, and this version of bluesky_gp reads {SCHEMA_VERSION}: resume "
            f"it with the version that wrote it, {dict(gp.get('versions', {})).get('bluesky_gp', 'unknown')}"
        )
    from bluesky_gp.plain_data import in_todays_words  # it needs scikit-learn: a second to import

    differences = [
        f"{name} was {_short(old)} and is {_short(new)}"
        for part in ("grid", "target", "optimizer_target", "kernel", "default_kernel")
        for name, old, new in _differences(part, in_todays_words(gp.get(part)), mine.get(part))
    ]
    if differences:
        raise ResumeError("the run was made with other settings: " + "; ".join(differences))


def _differences(name: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """Name what differs, deep inside mappings."""
    if old == new:
        return []
    if isinstance(old, Mapping) and isinstance(new, Mapping) and old.get("class") == new.get("class"):
        keys = dict.fromkeys([*old, *new])
        return [found for key in keys for found in _differences(f"{name}.{key}", old.get(key), new.get(key))]
    return [(name, old, new)]


def _short(value: Any) -> str:
    from bluesky_gp.plain_data import DescriptionError, make  # it needs scikit-learn: a second to import

    try:
        text = repr(make(value))
    except DescriptionError:
        text = repr(value)
    return text if len(text) < 120 else f"{text[:100]}..."
