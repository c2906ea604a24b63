"""Between the target's unit and the standardised units of the posterior, in which larger is better."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sklearn.base import clone

from bluesky_gp.typing import Floats

_ROUNDING = 1e-14  # spread of values, relative to the largest, that says nothing
_LARGEST = np.finfo(np.float64).max
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
        """One standard deviation in the target's unit."""
        return self.spread or 1.0

    def inward(self, values: Floats) -> Floats:
        """Standardise values."""
        return self.sign * (values - self.center) / self.scale

    def inward_variance(self, values: Floats, std: Floats) -> Floats:
        """Variance, in standardised units, of values measured with standard deviations `std`."""
        return (std / self.scale) ** 2

    def outward(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation in the target's unit."""
        with np.errstate(over="ignore"):  # values near the end of the range: the largest number instead of infinity
            average, std = self.center + self.sign * self.scale * mean, self.scale * np.sqrt(variance)
        return np.clip(average, -_LARGEST, _LARGEST), np.minimum(std, _LARGEST)


@dataclass(frozen=True)
class TransformedUnits:
    r"""A scikit-learn transformer with an inverse, then standardised: for targets whose distribution is skewed.

    What the posterior says is normal in transformed units; back in the target's unit its moments are the integrals
    :math:`\int g(x)\, N(x; \mu, \sigma^2)\, dx` and of :math:`g^2`, by Gauss-Hermite quadrature with 15 nodes.
    """

    transformer: Any
    standard: AffineUnits
    low: float  # transformed values from here ...
    high: float  # ... to here have an inverse

    @classmethod
    def of(cls, values: Floats, sign: float, transformer: Any) -> "TransformedUnits":
        """Fit a transformer to values and standardise what it makes of them.

        Raises
        ------
        ValueError
            If it does not take these values.
        """
        with np.errstate(all="ignore"):  # what overflows inside is seen in the result
            fitted = clone(transformer).fit(values[:, None])
            transformed = np.asarray(fitted.transform(values[:, None]))[:, 0]
            low, high = (_end(fitted, float(end(values)), values) for end in (np.min, np.max))
        if not np.isfinite([*transformed, low, high]).all():
            raise ValueError("some values have no transformed value")
        return cls(fitted, AffineUnits.of(transformed, sign), min(low, high), max(low, high))

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
            with np.errstate(all="ignore"):
                result[known] = self.standard.inward(self.transformer.transform(values[known][:, None])[:, 0])
        return result

    def inward_variance(self, values: Floats, std: Floats) -> Floats:
        """Variance, in standardised units, of values measured with standard deviations `std`: by the slope there."""
        return (0.5 * (self.inward(values + std) - self.inward(values - std))) ** 2

    def outward(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation in the target's unit."""
        nodes, _ = self.standard.outward(mean + np.sqrt(variance) * _NODES[:, None], np.zeros(()))
        back = self._back(nodes)
        weights = _WEIGHTS / _WEIGHTS.sum()
        average = weights @ back
        return average, np.sqrt(np.maximum(weights @ (back - average) ** 2, 0.0))

    def _back(self, nodes: Floats) -> Floats:
        """Transform back what has an inverse, which may end (Yeo-Johnson's) or overflow (the exponential) far out."""
        within = np.clip(nodes, self.low, self.high)
        return np.asarray(self.transformer.inverse_transform(within.reshape(-1, 1))).reshape(nodes.shape)


def _end(transformer: Any, end: float, values: Floats) -> float:
    """Transform what lies as far beyond an end of the values as the transformer takes; NaN if it does not take that."""
    outwards = np.sign(end - values.mean()) * (values.max() / 2.0 - values.min() / 2.0)
    for value in (end + 2e3 * outwards, end + 2.0 * outwards, end * 1e-6, end):
        try:
            transformed = np.asarray(transformer.transform(np.array([[value]])))
            back = np.asarray(transformer.inverse_transform(transformed))
        except ValueError:
            continue
        if (value - end) * outwards >= 0.0 and np.isfinite([transformed, back]).all():
            return float(transformed[0, 0])
    return np.nan


def center_and_spread(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation; a spread of zero where values differ by rounding only."""
    largest = float(np.abs(values).max()) or 1.0
    relative = values / largest  # whose squares neither overflow nor vanish
    spread = float(relative.std())
    return largest * float(relative.mean()), largest * spread if spread > _ROUNDING else 0.0
