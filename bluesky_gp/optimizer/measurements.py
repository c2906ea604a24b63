"""Pixels measured or failed, as one immutable value that grows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True, eq=False)
class Measurements:
    """Pixels measured or failed, in order of arrival; a pixel may have several values."""

    pixels: Indices  # (m,), flat
    values: Floats  # (m,), target's unit; NaN: failed
    std: Floats  # (m,), known of each value; 0: unknown
    others: Mapping[str, Floats] = field(repr=False)  # (m,) or (m, n_channels), auxiliary quantities; NaN: none
    extra_noise: Floats = field(repr=False)  # (m,), variance added to outliers at the latest fit

    @classmethod
    def of(cls, pixels: Indices, values: Floats, std: Floats, others: Mapping[str, Floats]) -> Self:
        """Return new measurements, none of them doubted."""
        return cls(pixels, values, std, others, np.zeros(len(pixels)))

    @classmethod
    def none(cls) -> Self:
        """Return no measurement."""
        return cls.of(np.empty(0, dtype=np.intp), np.empty(0), np.empty(0), {})

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def has_value(self) -> npt.NDArray[np.bool_]:
        """Whether each has a value, shape ``(m,)``."""
        return np.isfinite(self.values)

    def plus(self, new: "Measurements") -> "Measurements":
        """Return these and `new` ones behind them.

        Raises
        ------
        ValueError
            If spectra of a name come with another number of channels.
        """
        return Measurements(
            np.concatenate([self.pixels, new.pixels]),
            np.concatenate([self.values, new.values]),
            np.concatenate([self.std, new.std]),
            {name: np.concatenate(self._alike(name, values)) for name, values in new.others.items()},
            np.concatenate([self.extra_noise, new.extra_noise]),
        )

    def without(self, gone: npt.NDArray[np.bool_]) -> "Measurements":
        """Return all but some, shape ``(m,)``."""
        kept = ~gone
        others = {name: values[kept] for name, values in self.others.items()}
        return Measurements(self.pixels[kept], self.values[kept], self.std[kept], others, self.extra_noise[kept])

    def taken_back_by(self, new: "Measurements") -> npt.NDArray[np.bool_]:
        """Return which are failures of pixels with a value now, or values of pixels that failed, shape ``(m,)``."""
        measured, failed = new.pixels[new.has_value], new.pixels[~new.has_value]
        return np.asarray(np.where(self.has_value, np.isin(self.pixels, failed), np.isin(self.pixels, measured)))

    def then(self, new: "Measurements") -> "Measurements":
        """Return these and `new` ones, without those that the new ones take back."""
        return self.without(self.taken_back_by(new)).plus(new)

    def _alike(self, name: str, values: Floats) -> tuple[Floats, Floats]:
        """Return an auxiliary quantity before and now, of one shape; NaN before its name came up."""
        before = self.others.get(name, np.full(len(self), np.nan))
        if before.shape[1:] == values.shape[1:]:
            return before, values
        if np.isfinite(before).any() and np.isfinite(values).any():
            raise ValueError(
                f"PixelOptimizer: {name} of shape {values.shape[1:]} came after some of shape {before.shape[1:]}"
            )
        shape = max(before.shape[1:], values.shape[1:], key=len)  # a missing spectrum has no number of channels

        def stretched(each: Floats) -> Floats:
            return np.full((len(each), *shape), np.nan) if each.shape[1:] != shape else each

        return stretched(before), stretched(values)
