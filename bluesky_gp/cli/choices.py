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
    from bluesky_gp.acquisition import BY_NAME

    return BY_NAME[name]()


def make_kernel(name: str) -> "Kernel | None":
    """Return a scikit-learn kernel, its length scales in pixels; None is PixelOptimizer's default."""
    if name == "default":
        return None
    from sklearn.gaussian_process import kernels as k

    lengths, bounds = [6.0, 6.0], (0.7, 100.0)
    shapes = {
        "matern12": k.Matern(lengths, bounds, nu=0.5),
        "matern32": k.Matern(lengths, bounds, nu=1.5),
        "matern52": k.Matern(lengths, bounds, nu=2.5),
        "rbf": k.RBF(lengths, bounds),
        "rationalquadratic": k.RationalQuadratic(6.0, length_scale_bounds=bounds),
    }
    return k.ConstantKernel(1.0, (1e-4, 1e4)) * shapes[name] + k.WhiteKernel(0.01, (1e-6, 1e1))
