"""Acquisition functions with one fault each, under the contract; run by test_testing.py in a process of its own.

The name of a class is its fault.
"""

import numpy as np
import pytest

from bluesky_gp.testing import AcquisitionContract


class Sound:
    """An acquisition function without faults."""

    def __call__(self, mean, std, best, *, rng):
        return mean - best + 2.0 * std


class Random(Sound):
    """Another: it draws, and from where it should."""

    def __call__(self, mean, std, best, *, rng):
        return rng.normal(mean, std)


class NotCallable:
    pass


class HalfWithoutNumber(Sound):
    def __call__(self, mean, std, best, *, rng):
        return np.where(mean > np.median(mean), mean, np.nan)


class WritesIntoTheMap:
    def on(self, context):
        context.posterior.mean[context.pixels] *= 0.9
        return context.mean


class DrawsElsewhere(Sound):
    def __call__(self, mean, std, best, *, rng):
        return np.random.default_rng().normal(mean, std)


class CountsItsCalls(Sound):
    calls = 0

    def __call__(self, mean, std, best, *, rng):
        CountsItsCalls.calls += 1
        return mean + CountsItsCalls.calls * std


class AddsSquares(Sound):
    def __call__(self, mean, std, best, *, rng):
        return mean + std**2


class KnowsTheSign:
    def on(self, context):
        return context.sign * context.mean + context.std


class Lopsided:
    def on(self, context):
        return context.grid.unravel(context.pixels)[:, 0] + (context.mean - context.best) / context.std


def case(kind):
    class Case(AcquisitionContract):
        @pytest.fixture
        def acquisition(self):
            return kind()

    return Case


for _kind in [
    *(Sound, *Sound.__subclasses__()),
    *(NotCallable, WritesIntoTheMap, KnowsTheSign, Lopsided),
]:
    globals()[f"Test{_kind.__name__}"] = case(_kind)  # type: ignore[attr-defined]
