"""A setting that is changed in mid-run, out of a name, an object or its description."""

from typing import Any

from bluesky_gp.acquisition import acquisition_of
from bluesky_gp.optimizer.slips import rules
from bluesky_gp.plain_data import make


def made_again(name: str, value: Any) -> Any:
    """Return a setting from a name, an object or its description."""
    if name == "acquisition" and isinstance(value, str):
        try:
            return acquisition_of(value)
        except ValueError as error:  # the name of a function, where `value` was described
            raise ValueError(
                f"PixelOptimizer: {error} (a function of your own cannot be made again from its name)"
            ) from error
    if name == "stopping":
        return rules(make(value))
    return make(value)
