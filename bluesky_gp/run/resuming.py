"""A recorded run read back as the beginning of another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from bluesky_gp.protocols import AnyOptimizer, Looks, Scalarizer
from bluesky_gp.recording import ResumeError, check_over, documents_of, journal_of
from bluesky_gp.run.decision import Decision
from bluesky_gp.run.history import History
from bluesky_gp.run.keys import PIXELS
from bluesky_gp.run.record import RunRecord
from bluesky_gp.run.recorded_history import history_of
from bluesky_gp.run.redoing import after
from bluesky_gp.run.same_numbers import check_same_numbers
from bluesky_gp.run.schema import SCHEMA_VERSION, agent_entry

Document = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Resumed:
    """The history of a run that is resumed, and the decision at which it was left."""

    history: History
    decision: Decision


def resume(
    run: Any,
    optimizer: AnyOptimizer,
    mine: Mapping[str, Any],
    num: int | None,
    *,
    catalog: Any = None,
    scalarizer: Scalarizer | None = None,
    detectors: Sequence[Any] = (),
) -> Resumed:
    """Read a run and come to the state in which it was left; changes nothing, but that its overview image is taken.

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
    detectors : sequence, optional
        With which the new run measures.

    Raises
    ------
    ResumeError
        If there is no such run, it still goes on, has other settings, or has attempted more pixels already.
    """
    documents = iter(documents_of(run, catalog))
    first = next(documents, ("", {}))
    gp = agent_entry(first[1])
    if gp is None:
        raise ResumeError(f"{run} is no run that a GPAgent steered: its start document has no 'gp'")
    check(gp, mine)
    if gp.get("overview") != mine.get("overview"):
        _take_image(optimizer, gp, mine)
    record = RunRecord.from_documents(
        chain([first], _checked(documents, mine["target"], detectors)),
        scalarizer=scalarizer,
        others=mine.get("other_keys", {}),
        spectra=False,
    )
    if not record.stop:
        check_over(journal_of(run, catalog) or journal_of(record.start["uid"], catalog))
    history = history_of(record)
    if num is not None and num < len(history.attempted):
        raise ResumeError(
            f"run {history.uid} has attempted {len(history.attempted)} pixels already, and num={num} counts those as "
            f"well; give the number of pixels that both runs are to have"
        )
    return Resumed(history, after(optimizer, history))


def _checked(documents: Iterable[Document], target: str, detectors: Sequence[Any]) -> Iterator[Document]:
    """Yield documents; raise if detectors make the target otherwise than they say."""
    for name, doc in documents:
        if name == "descriptor" and doc["name"] == PIXELS and target in doc["data_keys"]:
            check_same_numbers(doc, target, detectors)
        yield name, doc


def _take_image(optimizer: AnyOptimizer, gp: Mapping[str, Any], mine: Mapping[str, Any]) -> None:
    """Have the optimizer look at the image with which a run was decided; raise if it has one already, or cannot."""
    if "overview" in mine or not isinstance(optimizer, Looks):
        raise ResumeError(
            "the run was decided with another overview image, or none: an optimizer without one takes the run's"
        )
    optimizer.look(gp["overview"])


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
        for part in ("grid", "target", "monitor", "optimizer_target", "kernel", "default_kernel", "time_kernel")
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
