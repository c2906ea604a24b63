"""The budget of a run beside its number of pixels: seconds and dose."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, isfinite
from typing import Any, Protocol, Self, runtime_checkable

from bluesky_gp.settings import check_number


@runtime_checkable
class DoseLimit(Protocol):
    """A dose that a map may have, and what one measurement of a pixel gives; `MaxDose` is one."""

    @property
    def dose(self) -> float:
        """Of the whole map."""
        ...

    @property
    def per_pixel(self) -> float:
        """Of one measurement."""
        ...

    @property
    def unit(self) -> str:
        """Of both."""
        ...


@dataclass(frozen=True)
class Budget:
    """Seconds and dose that a run may spend; without either, as much as it likes.

    Parameters
    ----------
    seconds : float, optional
        From its start document to the event of a pixel, by their times.
    dose : float, optional
        Of all measurements, those of a run that is resumed included.
    per_pixel : float
        Dose of one.
    unit : str
        Of both doses.
    """

    seconds: float | None = None
    dose: float | None = None
    per_pixel: float = 0.0
    unit: str = ""

    @classmethod
    def checked(cls, plan: str, seconds: Any, dose: Any) -> Self:
        """Return what a plan was given: a number of seconds, and a `DoseLimit` or a mapping of its three numbers.

        Raises
        ------
        TypeError, ValueError
            If it is something else.
        """
        if seconds is not None:
            check_number(plan, "seconds", seconds, above=0.0)
            seconds = float(seconds)
        if dose is None:
            return cls(seconds)
        if isinstance(dose, DoseLimit):
            dose = {"dose": dose.dose, "per_pixel": dose.per_pixel, "unit": dose.unit}
        if not isinstance(dose, Mapping) or set(dose) != {"dose", "per_pixel", "unit"}:
            raise TypeError(
                f"{plan}: dose must be MaxDose(20e-9, per_pixel=50e-12, unit='C'), or "
                f"{{'dose': 20e-9, 'per_pixel': 50e-12, 'unit': 'C'}}, got {dose!r:.80}"
            )
        for name in ("dose", "per_pixel"):
            check_number(plan, f"dose[{name!r}]", dose[name], above=0.0)
        budget = cls(seconds, float(dose["dose"]), float(dose["per_pixel"]), str(dose["unit"]))
        if budget.pixels_left(0) == 0:
            raise ValueError(f"{plan}: a dose of {dose['dose']:g} {dose['unit']} is less than that of a single pixel")
        return budget

    @classmethod
    def of(cls, gp: Mapping[str, Any]) -> Self:
        """Read what a start document says under ``gp``."""
        return cls(**gp.get("budget", {}))

    def to_mapping(self) -> dict[str, Any]:
        """Return plain data for the start document; empty: there is none."""
        seconds = {} if self.seconds is None else {"seconds": self.seconds}
        dose = {"dose": self.dose, "per_pixel": self.per_pixel, "unit": self.unit}
        return seconds | ({} if self.dose is None else dose)

    def pixels_left(self, measured: int) -> int | None:
        """Return for how many measurements more the dose is enough; None: for any number."""
        if self.dose is None:
            return None
        return max(floor(self.dose / self.per_pixel * (1.0 + 1e-12)) - measured, 0)  # ten times 0.1 is less than 1

    def over(self, seconds: float, measured: int) -> str:
        """Return why nothing more is to be measured; empty: there is something left."""
        if self.seconds is not None and seconds >= self.seconds:
            return f"{seconds:.0f} s of {self.seconds:g} s"
        if self.pixels_left(measured) == 0:
            return f"dose of {measured * self.per_pixel:.4g} of {self.dose:g} {self.unit}".rstrip()
        return ""

    def room(self, seconds: float, measured: int, pace: float) -> int | None:
        """Return how many measurements more there is room for, at `pace` s each (NaN: not known); None: for any."""
        by_dose, by_time = self.pixels_left(measured), None
        if self.seconds is not None and isfinite(pace) and pace > 0.0:
            by_time = max(floor((self.seconds - seconds) / pace), 1)  # the last may begin
        known = [room for room in (by_dose, by_time) if room is not None]
        return min(known, default=None)

    def left(self, seconds: float, measured: int) -> str:
        """Return in words what is left."""
        parts = [] if self.seconds is None else [f"{max(self.seconds - seconds, 0.0):.0f} s"]
        if self.dose is not None:
            parts.append(f"{max(self.dose - measured * self.per_pixel, 0.0):.3g} {self.unit}".rstrip())
        return f"{' and '.join(parts)} of the budget left" if parts else ""
