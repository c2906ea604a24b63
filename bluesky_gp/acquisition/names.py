"""Every acquisition function by its name, in place of an object wherever its defaults will do."""

from typing import Any

from bluesky_gp.acquisition.goal import Goal
from bluesky_gp.acquisition.improvement import (
    ConfidenceBound,
    ConfidenceSchedule,
    ExpectedImprovement,
    PosteriorUncertainty,
    ProbabilityOfImprovement,
)
from bluesky_gp.acquisition.integrated_variance import IntegratedVariance
from bluesky_gp.acquisition.knowledge_gradient import KnowledgeGradient
from bluesky_gp.acquisition.map_gradient import MapGradient
from bluesky_gp.acquisition.sampling import MaxValueEntropy, ThompsonSampling
from bluesky_gp.spelling import meant

BY_NAME: dict[str, type[Any]] = {
    "ei": ExpectedImprovement,
    "pi": ProbabilityOfImprovement,
    "ucb": ConfidenceBound,
    "gp-ucb": ConfidenceSchedule,
    "thompson": ThompsonSampling,
    "mes": MaxValueEntropy,
    "kg": KnowledgeGradient,
    "uncertainty": PosteriorUncertainty,
    "ivr": IntegratedVariance,
    "goal": Goal,
    "gradient": MapGradient,
}
"""What can be made without a parameter."""


def acquisition_of(value: Any) -> Any:
    """Return the acquisition function of a name, with its defaults; anything else as it is.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists them.

    Examples
    --------
    >>> acquisition_of("ucb")
    ConfidenceBound(beta=2.0)
    """
    if not isinstance(value, str):
        return value
    if value not in BY_NAME:
        raise ValueError(
            f"there is no acquisition function {value!r}, there are {', '.join(BY_NAME)}, or an object such as "
            f"ConfidenceBound(2.0){meant(value, BY_NAME)}"
        )
    return BY_NAME[value]()
