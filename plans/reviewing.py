"""Review of batches: each is shown, and measured when somebody agrees, or when nobody answers in time."""

from typing import Any

from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.stubs import ask_agent, record_hands
from bluesky_gp.plans.typing import Pixel, plan
from bluesky_gp.plans.waiting import start_and_wait
from bluesky_gp.run import AGREE, EDIT
from bluesky_gp.settings import check_number


@plan
def ask_and_review(agent: GPAgent, review: bool | float | None = True) -> MsgGenerator[list[Pixel]]:
    """Ask for the next batch, and have people answer to it, until they agree or put their own in its place.

    Parameters
    ----------
    agent : GPAgent
    review : bool or float or None
        Seconds after which a batch is measured without an answer; True: never; None or False: no review.
    """
    batch: list[Pixel] = yield from ask_agent(agent)
    while batch and wants_review(review):
        question = agent.question(None if review is True else review)
        yield Msg("checkpoint")
        yield from start_and_wait([Msg("set", agent.review, question)])
        answer = agent.review.answer
        yield from record_hands(agent)
        if answer in (AGREE, ""):  # nobody answers in a simulated plan
            break
        batch = yield from ask_agent(agent)
        if answer == EDIT:
            break
    return batch


def wants_review(review: Any) -> bool:
    """Whether batches are shown.

    Raises
    ------
    TypeError, ValueError
        If it is neither a switch nor a number of seconds.
    """
    if review is None or isinstance(review, bool):
        return bool(review)
    check_number("adaptive_map", "review", review, above=0.0)
    return True
