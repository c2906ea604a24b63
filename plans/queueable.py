"""Annotations for bluesky-queueserver: plans whose devices, agents and plans an item of the queue gives by their names.

The manager reads them from an attribute of the function, so that nothing has to be installed for it here. Names are
replaced by the objects of the worker's session before the plan is called.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

P = TypeVar("P", bound=Callable[..., Any])

# Lists of names, not the built-in __READABLE__: the manager then refuses a name that is none, and clients show them.
_DETECTORS = {"Detectors": ("__DETECTOR__:?.*:depth=2",)}
_PLANS = {"Plans": (":.*",)}

DETECTORS = {
    "annotation": "typing.List[Detectors]",
    "devices": _DETECTORS,
    "description": "Detectors; one of them gives the target.",
}
STAGE = {
    "annotation": "typing.Union[Motors, typing.List[Motors]]",
    "devices": {"Motors": ("__MOTOR__:?.*:depth=3",)},
    "description": "A stage with a grid, or a motor for each axis of the agent's grid.",
}
AGENT_BY_NAME = {"annotation": "Detectors", "devices": _DETECTORS, "description": "An agent by its name."}
AGENT = {
    "annotation": "typing.Union[Detectors, typing.Dict[str, typing.Any]]",
    "devices": _DETECTORS,
    "description": 'An agent by its name, or its settings: {"target": "spectrometer_loop_area", "batch_size": 10}.',
}
IMAGERS = {"annotation": "typing.List[Detectors]", "devices": _DETECTORS, "description": "Imagers of the sample."}
PER_PIXEL = {
    "annotation": "typing.Optional[Plans]",
    "plans": _PLANS,
    "description": "The plan that measures one pixel, by its name.",
}
PER_BATCH = {
    "annotation": "typing.Optional[Plans]",
    "plans": _PLANS,
    "description": "A plan run before each batch, by its name: drift, refocus.",
}
MAPPING = "typing.Optional[typing.Dict[str, typing.Any]]"
GRID = {"annotation": MAPPING, "description": 'For motors: {"shape": [50, 50], "step": [0.1, 0.1], "units": "um"}.'}
METADATA = {"annotation": MAPPING, "description": "Metadata of the run, such as a correlation id."}
RESUME_FROM = {
    "annotation": "typing.Optional[str]",
    "description": "Uid, or its beginning, of a run to go on with.",
}


def queueable(description: str, **parameters: Mapping[str, Any]) -> Callable[[P], P]:
    """Say what the queue server shows and accepts.

    Parameters
    ----------
    description : str
        The plan in a line.
    **parameters
        Of each: ``annotation``, ``description``, ``min``, ``max``, as `parameter_annotation_decorator` takes them.
    """

    def annotated(plan: P) -> P:
        plan._custom_parameter_annotation_ = {  # type: ignore[attr-defined]  # the name that the manager looks for
            "description": description,
            "parameters": parameters,
        }
        return plan

    return annotated
