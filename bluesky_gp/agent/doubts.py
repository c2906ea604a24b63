"""Doubts that an agent says aloud, in the log: nothing heard, nothing asked, nothing learnt."""

import logging
from collections.abc import Mapping
from typing import Any

from bluesky_gp.agent.steering import Progress

log = logging.getLogger("bluesky_gp")


def say_unheard(name: str, start: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
    """Say that an agent without axes hears nothing of a run that another steers."""
    log.warning(
        "%s: run %s is steered by agent %r, and %s hears nothing of it: give it axes=, the event keys of row and "
        "column, or unsubscribe it", name, start["uid"][:8], entry["agent"], name,
    )  # fmt: skip


def say_nothing_learnt(name: str, run: Progress) -> None:
    """Say once a run that nothing is learnt: a wrong window or a closed shutter costs hours."""
    if run.nothing_learnt and not run.warned:
        run.warned = True
        log.warning("%s: run %s: %s", name, run.heard.uid[:8], run.nothing_learnt)


def say_at_end(name: str, run: Progress, ended: float) -> None:
    """Say of a run that ends why it taught nothing, if it did not, and what overlap saved or would have."""
    uid = run.heard.uid[:8]
    if run.heard.doubt:
        log.warning("%s: run %s: %s", name, uid, run.heard.doubt)
    elif run.nothing_learnt:
        log.warning("%s: run %s ended, and nothing was learnt: %s", name, uid, run.nothing_learnt)
    elif run.heard.outcomes and not run.asked:
        log.warning(
            "%s: run %s: %d pixels were heard and none is learnt, as the plan never asked for pixels: have it ask, "
            "with plans.ask_agent(agent), or give what it measured to optimizer.ingest",
            name, uid, len(run.heard.outcomes),
        )  # fmt: skip
    elif advice := run.time_spent(ended).advice:
        log.info("%s: run %s: %s", name, uid, advice)
