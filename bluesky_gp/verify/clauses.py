"""The contract of a recorded run: its clauses, and whether each of them holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bluesky_gp.recording import Documents
from bluesky_gp.verify import decisions, documents, hands, pixels
from bluesky_gp.verify.evidence import BrokenClause, Evidence

CLAUSES: Mapping[str, Callable[[Evidence], str | None]] = {
    "documents": documents.valid,
    "order": documents.in_order,
    "complete": documents.complete,
    "decisions": decisions.all_there,
    "proposals": pixels.ended,
    "places": pixels.in_place,
    "values": pixels.have_values,
    "targets": pixels.from_spectra,
    "hyperparameters": decisions.within_bounds,
    "hands": hands.whole,
    "replay": decisions.repeated,
    "versions": decisions.with_versions,
}
"""The clauses by name: each returns a sentence with its numbers, raises `BrokenClause`, or returns None where it says
nothing about such a run."""


@dataclass(frozen=True)
class Clause:
    """A clause of the contract, and whether a run keeps it."""

    name: str
    holds: bool
    sentence: str


def verify(run: Documents, *, replay: bool = True, **given: Any) -> list[Clause]:
    """Check a recorded run clause by clause.

    Parameters
    ----------
    run : iterable of (name, document)
        See `recording.documents_of`. Of runs that no agent steered the clauses that apply to any run.
    replay : bool
        False: leave out the clause that makes every decision again, which takes as long as they took.
    **given
        What the record has only the name of, as in `replay.replay`.

    Returns
    -------
    list of Clause
        Those that apply, in the order of `CLAUSES`.
    """
    evidence = Evidence.of(run, given)
    asked = {name: check for name, check in CLAUSES.items() if replay or name != "replay"}
    found = [_checked(name, check, evidence) for name, check in asked.items()]
    return [clause for clause in found if clause is not None]


def _checked(name: str, check: Callable[[Evidence], str | None], evidence: Evidence) -> Clause | None:
    try:
        sentence = check(evidence)
    except BrokenClause as broken:
        return Clause(name, False, str(broken))
    except Exception as error:  # whatever a damaged record leads to
        return Clause(name, False, f"it cannot be told: {type(error).__name__}: {error}")
    return None if sentence is None else Clause(name, True, sentence)
