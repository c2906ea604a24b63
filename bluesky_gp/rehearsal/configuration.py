"""Configurations of an optimizer: which to compare, and the lines that make the one that was chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from bluesky_gp.acquisition import ConfidenceBound, ExpectedImprovement, Novelty, PosteriorUncertainty
from bluesky_gp.optimizer import PixelOptimizer, Recipe
from bluesky_gp.plain_data import describe
from bluesky_gp.rehearsal.as_code import as_code
from bluesky_gp.rehearsal.full_map import SPECTRUM, FullMap

_IMAGE = "overview"  # the setting of `PixelOptimizer`


@dataclass(frozen=True)
class Configuration:
    """Keyword arguments of `PixelOptimizer` (all but grid, target, maximize and seed), and a name for them."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def batch_size(self) -> int:
        """Pixels a batch."""
        return int(self.options.get("batch_size", Recipe.batch_size))

    @property
    def n_initial(self) -> int:
        """Pixels before the first that a model chooses."""
        return int(self.options.get("n_initial", Recipe.n_initial))

    def optimizer(self, full: FullMap, seed: int) -> PixelOptimizer:
        """Return the optimizer for a map, which knows nothing yet; ValueError: the spectra it needs are missing."""
        acquisition = self.options.get("acquisition")
        if isinstance(acquisition, Novelty) and (full.spectra is None or acquisition.key != SPECTRUM):
            raise ValueError(f"{self.name}: {acquisition!r} needs the map's spectra, whose name is {SPECTRUM!r} here")
        return PixelOptimizer(full.grid, full.target, **{"maximize": full.maximize, **self.options, "seed": seed})

    def is_blind_twin(self, seeing: "Configuration") -> bool:
        """Whether this is the other configuration but for its overview image, which this one lacks."""
        if _IMAGE in self.options or _IMAGE not in seeing.options:
            return False
        rest = {name: value for name, value in seeing.options.items() if name != _IMAGE}
        return bool(describe(dict(self.options)) == describe(rest))

    def lines(self, full: FullMap, num: int) -> list[str]:
        """Return what to paste into a session that has `RE`, a `stage`, a `spectrometer`, for an image an `imager`."""
        codes = {name: as_code(value) for name, value in self.options.items() if name != _IMAGE}
        image = ", overview=[imager]" if _IMAGE in self.options else ""
        imports = [f"from bluesky_gp import {name}" for name in ("GPAgent", "PixelGrid", "PixelOptimizer")]
        imports += [line for code in codes.values() for line in code.imports]
        imports += ["from bluesky_gp.plans import adaptive_map"]
        given = "".join(f", {name}={code.text}" for name, code in codes.items())
        minimize = "" if full.maximize else ", maximize=False"
        return [
            *_merged(imports),
            f"grid = PixelGrid(shape={full.grid.shape})  # step, origin and units: those of your stage",
            f"optimizer = PixelOptimizer(grid, target={full.target!r}{given}{minimize})",
            f"agent = GPAgent(optimizer, target={full.key!r})",
            f"RE(adaptive_map([spectrometer], stage, agent, num={num}{image}))",
        ]


def configurations(
    acquisitions: Mapping[str, Any] | None = None,
    batch_sizes: Sequence[int] = (10,),
    kernels: Mapping[str, Any] | None = None,
    *,
    overview: Any = None,
    every_combination: bool = False,
) -> list[Configuration]:
    """Return configurations to compare: the first of each, and what differs from it in one thing.

    Parameters
    ----------
    acquisitions : mapping of str to acquisition function, optional
        Default: expected improvement, confidence bound, uncertainty.
    batch_sizes : sequence of int
    kernels : mapping of str to scikit-learn kernel, optional
        None is the default kernel.
    overview : Overview, array_like or mapping, optional
        Image of the sample as `PixelOptimizer` takes it: compare with and without it.
    every_combination : bool
        Compare all with all.
    """
    acquisitions = acquisitions or {
        "ei": ExpectedImprovement(),
        "ucb": ConfidenceBound(),
        "uncertainty": PosteriorUncertainty(),
    }
    kernels = kernels or {"default": None}
    choices = list(product(acquisitions, batch_sizes, kernels, (False, True) if overview is not None else (False,)))
    found = []
    for name, batch_size, kernel, seeing in choices:
        if every_combination or _differences((name, batch_size, kernel, seeing), choices[0]) < 2:
            options = {"acquisition": acquisitions[name], "batch_size": batch_size, "kernel": kernels[kernel]}
            options |= {"others": [SPECTRUM]} if isinstance(acquisitions[name], Novelty) else {}
            options |= {_IMAGE: overview} if seeing else {}
            parts = [name]
            parts += [f"batches of {batch_size}"] if len(batch_sizes) > 1 else []
            parts += [f"{kernel} kernel"] if len(kernels) > 1 else []
            told = {key: value for key, value in options.items() if value is not None}
            found.append(Configuration(", ".join(parts) + " + image" * seeing, told))
    return found


def _differences(choice: tuple[Any, ...], other: tuple[Any, ...]) -> int:
    return sum(a != b for a, b in zip(choice, other, strict=True))


def _merged(imports: Sequence[str]) -> list[str]:
    """Join ``from a import x`` and ``from a import y``."""
    names: dict[str, list[str]] = {}
    for line in dict.fromkeys(imports):
        module, _, name = line.partition(" import ")
        names.setdefault(module, []).append(name)
    return [f"{module} import {', '.join(sorted(found))}" for module, found in names.items()]
