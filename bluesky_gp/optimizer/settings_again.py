"""A setting that is changed in mid-run, out of a name, an object or its description."""

from typing import Any

from bluesky_gp.acquisition import BY_NAME
from bluesky_gp.optimizer.slips import rules
from bluesky_gp.plain_data import make


def made_again(name: str, value: Any) -> Any:
    """Return a setting from a name, an object or its description."""
    if name == "acquisition" and isinstance(value, str):
        if value not in BY_NAME:
            raise ValueError(
                f"PixelOptimizer: acquisition is one of {', '.join(BY_NAME)}, or an object of bluesky_gp such as "
                f"ConfidenceBound(2.0), got {value!r}: of a function of your own a record has the name only"
            )
        return BY_NAME[value]()
    if name == "stopping":
        return rules(make(value))
    return make(value)
