"""What helps to test against bluesky_gp; nothing at run time imports it."""

from bluesky_gp.testing.optimizers import ListOptimizer

__all__ = ["ListOptimizer"]
