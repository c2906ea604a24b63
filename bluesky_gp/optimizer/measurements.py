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
    share: Floats = field(repr=False)  # (m,), noise variance of each value over the kernel's: usual over its exposure
    times: Floats = field(repr=False)  # (m,), s, of a target that changes; NaN: no part in that

    @classmethod
    def of(
        cls,
        pixels: Indices,
        values: Floats,
        std: Floats,
        others: Mapping[str, Floats],
        share: Floats | None = None,
        times: Floats | None = None,
    ) -> Self:
        """Return new measurements, none of them doubted; unless given, `share` is 1 of each, and `times` NaN."""
        n = len(pixels)
        share, times = np.ones(n) if share is None else share, np.full(n, np.nan) if times is None else times
        return cls(pixels, values, std, others, np.zeros(n), share, times)

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

    @property
    def are_alike(self) -> bool:
        """Whether all values have the kernel's noise."""
        return bool((self.share == 1.0).all())

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
            np.concatenate([self.share, new.share]),
            np.concatenate([self.times, new.times]),
        )

    def without(self, gone: npt.NDArray[np.bool_]) -> "Measurements":
        """Return all but some, shape ``(m,)``."""
        kept = ~gone
        others = {name: values[kept] for name, values in self.others.items()}
        values, std, extra_noise, share, times = (
            array[kept] for array in (self.values, self.std, self.extra_noise, self.share, self.times)
        )
        return Measurements(self.pixels[kept], values, std, others, extra_noise, share, times)

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
