"""Adaptive Gaussian-process maps inside Bluesky.

The names below are imported when they are first used, so that ``import bluesky_gp`` costs a session nothing.
"""

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

# An interpreter started in the repository root sees ./bluesky_gp first, which holds no `devices` and no `plans`;
# the installed package, further down sys.path, does.
__path__ = extend_path(__path__, __name__)

if TYPE_CHECKING:
    from bluesky_gp.acquisition.combined import Feasible as Feasible
    from bluesky_gp.acquisition.combined import PerSecond as PerSecond
    from bluesky_gp.acquisition.combined import Product as Product
    from bluesky_gp.acquisition.combined import Sum as Sum
    from bluesky_gp.acquisition.goal import Goal as Goal
    from bluesky_gp.acquisition.hypervolume import ExpectedHypervolumeImprovement as ExpectedHypervolumeImprovement
    from bluesky_gp.acquisition.improvement import ConfidenceBound as ConfidenceBound
    from bluesky_gp.acquisition.improvement import ConfidenceSchedule as ConfidenceSchedule
    from bluesky_gp.acquisition.improvement import ExpectedImprovement as ExpectedImprovement
    from bluesky_gp.acquisition.improvement import PosteriorUncertainty as PosteriorUncertainty
    from bluesky_gp.acquisition.improvement import ProbabilityOfImprovement as ProbabilityOfImprovement
    from bluesky_gp.acquisition.integrated_variance import IntegratedVariance as IntegratedVariance
    from bluesky_gp.acquisition.knowledge_gradient import KnowledgeGradient as KnowledgeGradient
    from bluesky_gp.acquisition.level_set import LevelSet as LevelSet
    from bluesky_gp.acquisition.level_set import TargetValue as TargetValue
    from bluesky_gp.acquisition.map_gradient import MapGradient as MapGradient
    from bluesky_gp.acquisition.novelty import Novelty as Novelty
    from bluesky_gp.acquisition.sampling import MaxValueEntropy as MaxValueEntropy
    from bluesky_gp.acquisition.sampling import ThompsonSampling as ThompsonSampling
    from bluesky_gp.agent.agent import GPAgent as GPAgent
    from bluesky_gp.grid import PixelGrid as PixelGrid
    from bluesky_gp.optimizer.pixel_optimizer import PixelOptimizer as PixelOptimizer

_HOME = {
    "ConfidenceBound": "acquisition",
    "ConfidenceSchedule": "acquisition",
    "ExpectedHypervolumeImprovement": "hypervolume",
    "ExpectedImprovement": "acquisition",
    "Feasible": "combined",
    "GPAgent": "agent",
    "Goal": "goals",
    "IntegratedVariance": "integrated",
    "KnowledgeGradient": "knowledge",
    "LevelSet": "levels",
    "MapGradient": "gradient",
    "MaxValueEntropy": "sampling",
    "Novelty": "novelty",
    "PerSecond": "combined",
    "PixelGrid": "grid",
    "PixelOptimizer": "optimizer",
    "PosteriorUncertainty": "acquisition",
    "ProbabilityOfImprovement": "acquisition",
    "Product": "combined",
    "Sum": "combined",
    "TargetValue": "levels",
    "ThompsonSampling": "sampling",
}

__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Import a public name from the file that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
