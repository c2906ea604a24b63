"""Between the target's unit and the standardised units of the posterior, in which larger is better."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sklearn.base import clone

from bluesky_gp.protocols import Floats

_ROUNDING = 1e-14  # spread of values, relative to the largest, that says nothing
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)


class Units(Protocol):
    """Implemented below; used by `state` and `model`. Values of shape ``(k,)`` in and out."""

    @property
    def sign(self) -> float:
        """-1: smaller is better."""
        ...

    @property
    def constant(self) -> bool:
        """Whether all values were equal when these units were made."""
        ...

    def inward(self, values: Floats) -> Floats:
        """Standardise values."""
        ...

    def inward_variance(self, values: Floats, std: Floats) -> Floats:
        """Variance, in standardised units, of values measured with standard deviations `std`."""
        ...

    def outward(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation in the target's unit."""
        ...


@dataclass(frozen=True)
class AffineUnits:
    """Mean and standard deviation of the values, as scikit-learn's ``normalize_y=True``."""

    sign: float
    center: float = 0.0
    spread: float = 0.0

    @classmethod
    def of(cls, values: Floats, sign: float) -> "AffineUnits":
        """Return the units that standardise `values`."""
        return cls(sign, *center_and_spread(values))

    @property
    def constant(self) -> bool:
        """Whether all values were equal when these units were made."""
        return self.spread == 0.0

    @property
    def scale(self) -> float:
        """What one standard deviation is in the target's unit."""
        return self.spread or 1.0

    def inward(self, values: Floats) -> Floats:
        """Standardise values."""
        return self.sign * (values - self.center) / self.scale

    def inward_variance(self, values: Floats, std: Floats) -> Floats:
        """Variance, in standardised units, of values measured with standard deviations `std`."""
        return (std / self.scale) ** 2

    def outward(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation in the target's unit."""
        return self.center + self.sign * self.scale * mean, self.scale * np.sqrt(variance)


@dataclass(frozen=True)
class TransformedUnits:
    r"""A scikit-learn transformer with an inverse, then standardised: for targets whose distribution is skewed.

    What the posterior says is normal in transformed units; back in the target's unit its moments are the integrals
    :math:`\int g(x)\, N(x; \mu, \sigma^2)\, dx` and of :math:`g^2`, by Gauss-Hermite quadrature with 15 nodes.
    """

    transformer: Any
    standard: AffineUnits

    @classmethod
    def of(cls, values: Floats, sign: float, transformer: Any) -> "TransformedUnits":
        """Fit a transformer to values and standardise what it makes of them."""
        fitted = clone(transformer).fit(values[:, None])
        return cls(fitted, AffineUnits.of(np.asarray(fitted.transform(values[:, None]))[:, 0], sign))

    @property
    def sign(self) -> float:
        """-1: smaller is better."""
        return self.standard.sign

    @property
    def constant(self) -> bool:
        """Whether all values were equal when these units were made."""
        return self.standard.constant

    def inward(self, values: Floats) -> Floats:
        """Standardise values; NaN stays NaN."""
        result = np.full(values.shape, np.nan)
        known = np.isfinite(values)
        if known.any():
            result[known] = self.standard.inward(self.transformer.transform(values[known][:, None])[:, 0])
        return result

    def inward_variance(self, values: Floats, std: Floats) -> Floats:
        """Variance, in standardised units, of values measured with standard deviations `std`: by the slope there."""
        return (0.5 * (self.inward(values + std) - self.inward(values - std))) ** 2

    def outward(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation in the target's unit."""
        nodes, _ = self.standard.outward(mean + np.sqrt(variance) * _NODES[:, None], np.zeros(()))
        back = np.asarray(self.transformer.inverse_transform(nodes.reshape(-1, 1))).reshape(nodes.shape)
        weights = _WEIGHTS / _WEIGHTS.sum()
        average = weights @ back
        return average, np.sqrt(np.maximum(weights @ (back - average) ** 2, 0.0))


def center_and_spread(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation; a spread of zero where values differ by rounding only."""
    largest = float(np.abs(values).max()) or 1.0
    relative = values / largest  # whose squares neither overflow nor vanish
    spread = float(relative.std())
    return largest * float(relative.mean()), largest * spread if spread > _ROUNDING else 0.0
