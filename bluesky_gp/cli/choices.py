"""Settings of an optimizer that commands take by name, and their defaults.

The names stand here a second time (a test compares): ``--help`` must not wait for the libraries behind them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.gaussian_process.kernels import Kernel

ACQUISITIONS = ("ei", "pi", "ucb", "gp-ucb", "thompson", "mes", "kg", "uncertainty", "ivr", "goal", "gradient")
KERNELS = ("default", "matern12", "matern32", "matern52", "rbf", "rationalquadratic")


def default_batch(num: int) -> int:
    """Return ten, as published, or a tenth of few pixels: an agent that is asked three times cannot learn much."""
    return min(10, max(1, num // 10))


def make_acquisition(name: str) -> Any:
    """Return the acquisition function of that name, with its defaults."""
    from bluesky_gp.acquisition import acquisition_of

    return acquisition_of(name)


def make_kernel(name: str) -> "Kernel | None":
    """Return a scikit-learn kernel, its length scales in pixels; None is PixelOptimizer's default."""
    from bluesky_gp.gp import kernel_of

    return kernel_of(name)
