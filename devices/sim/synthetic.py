"""Synthetic samples: a ferroelectric film seen by a scanning probe, layers of oxides seen by an electron beam."""

from collections.abc import Mapping, Sequence
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, zoom
from scipy.special import expit

from bluesky_gp.devices.sim.sample import ShownSample, nearest_pixel
from bluesky_gp.protocols import Scalarizer
from bluesky_gp.scalarizers import get_scalarizer, scalarized_map
from bluesky_gp.settings import check_number, check_whole
from bluesky_gp.typing import Floats


class SyntheticFerroelectric(ShownSample):
    r"""Piezoresponse hysteresis loops of a film with domains, walls and imprint; bias in volts, response in pm.

    At each pixel the branch of the rising bias is :math:`A \tanh((v - v_+)/w) + s v`, that of the falling bias the same
    with :math:`v_-` (saturating loops as switching spectroscopy gives them: S. Jesse, A. P. Baddorf, S. V. Kalinin,
    Appl. Phys. Lett. 88, 062908 (2006)); coercive voltages :math:`v_\pm = v_i \pm v_c`, so that the area is about
    :math:`4 A v_c`. Amplitude A and coercive voltage :math:`v_c` vary smoothly and are largest in one region; imprint
    :math:`v_i` changes its sign from domain to domain; A falls at the walls. The sweep starts at 0 V in the middle of
    the rising branch and closes cyclically, as measured ones do.

    Parameters
    ----------
    shape : tuple of int, optional
        Pixels along each axis, one to three axes.
    seed : int, optional
        Of the sample and of its noise.
    noise : float, optional
        Standard deviation of the loop area by noise, as a part of the range of the area over the map.
    failed : float, optional
        Part of the pixels at which the resonance fit fails: a third of the loop jumps by up to 200 times the response.
    n_channels : int, optional
        Bias steps of the sweep, a multiple of four.
    amplitude : float, optional
        Largest bias, V.
    """

    axis_name = "bias"
    axis_units = "V"
    spectrum_units = "pm"
    default_target = "loop_area"

    def __init__(
        self,
        shape: Sequence[int] = (50, 50),
        seed: int = 0,
        *,
        noise: float = 0.02,
        failed: float = 0.02,
        n_channels: int = 64,
        amplitude: float = 8.5,
    ) -> None:
        self.shape = _shape(shape)
        check_whole(type(self).__name__, "seed", seed, 0)
        self.seed = seed
        check_number("SyntheticFerroelectric", "noise", noise, least=0.0)
        self.axis = _triangle(n_channels, amplitude)
        rng = np.random.default_rng(seed)
        self._maps = _ferroelectric_maps(self.shape, rng)
        self._failed = _some_pixels(self.shape, failed, rng)
        self._relief = _field(self.shape, 0.2, np.random.default_rng([seed, 1]))
        area = 4 * self._maps["response"] * self._maps["coercive"]
        weights = np.linalg.norm(0.5 * (np.roll(self.axis, -1) - np.roll(self.axis, 1)))  # area noise of unit noise
        self.noise_std = float(noise * np.ptp(area) / weights) if area.size > 1 else 0.0

    def spectrum(self, pixel: Sequence[float], visit: int = 0) -> Floats:
        """Return the loop that the `visit`-th exposure of the nearest pixel gives, shape ``(n_channels,)``, in pm."""
        index = nearest_pixel(pixel, self.shape)
        rng = _pixel_rng(self.seed, index, self.shape, visit)
        loop = self._loops(index) + self.noise_std * rng.standard_normal(len(self.axis))
        return _spoilt(loop, rng) if self._failed[index] else loop

    def overview(self) -> Floats:
        """Return the topography, nm, of four times as many pixels on each axis: relief, and walls that are trenches."""
        return _fine_image(0.6 * self._relief - self._maps["wall"], self.seed)

    def truth(self, scalarizer: str | Mapping[str, Any] | Scalarizer) -> Floats:
        """Return the map of a target without noise, shape `shape`; NaN at the pixels that fail."""
        values = scalarized_map(get_scalarizer(scalarizer), self._loops(...), self.axis)
        return np.where(self._failed, np.nan, values)

    def _loops(self, index: Any) -> Floats:
        """Return noise-free loops, shape ``(..., n_channels)``, of the pixels that `index` picks from the maps."""
        at = {name: values[index][..., np.newaxis] for name, values in self._maps.items()}
        rising = np.roll(self.axis, -1) >= self.axis
        switching = at["imprint"] + np.where(rising, at["coercive"], -at["coercive"])
        saturating = np.tanh((self.axis - switching) / at["width"])
        return np.asarray(at["response"] * saturating + at["slope"] * self.axis)


class SyntheticEELS(ShownSample):
    r"""Electron energy-loss spectra of layered oxides: 1024 channels of 1 eV from -24 eV, in counts.

    Layers lie along the rows, with rough interfaces: a titanate, a lanthanum-rich layer, a mixed one. A spectrum is a
    zero-loss peak, plasmons of the Drude form (t/lambda and plasmon energy vary), a power-law background, and the
    edges Ti L2,3 (456 eV, with white lines), O K (532 eV) and La M4,5 (832 eV), each :math:`(E/E_0)^{-r}` above its
    onset (R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, chapters 3 and 4). Noise is
    Poisson's.

    Parameters
    ----------
    shape : tuple of int, optional
        Pixels along each axis, one to three axes; layers follow each other along the first.
    seed : int, optional
        Of the sample and of its noise.
    counts : float, optional
        Counts of a whole spectrum; the less, the noisier.
    """

    axis_name = "energy"
    axis_units = "eV"
    spectrum_units = "counts"
    default_target = "net_counts"

    def __init__(self, shape: Sequence[int] = (50, 50), seed: int = 0, *, counts: float = 1e8) -> None:
        self.shape = _shape(shape)
        check_whole(type(self).__name__, "seed", seed, 0)
        self.seed = seed
        self.axis = np.arange(-24.0, 1000.0)
        self.counts = counts
        self._maps = _layer_maps(self.shape, np.random.default_rng(seed))
        self._edges = {name: _edge(self.axis, onset, lines) for name, (onset, lines) in _EDGES.items()}

    def spectrum(self, pixel: Sequence[float], visit: int = 0) -> Floats:
        """Return what the `visit`-th exposure of the nearest pixel gives, shape ``(n_channels,)``, in counts."""
        index = nearest_pixel(pixel, self.shape)
        rng = _pixel_rng(self.seed, index, self.shape, visit)
        return rng.poisson(self._expected(index)).astype(np.float64)

    def overview(self) -> Floats:
        """Return the HAADF image of four times as many pixels on each axis: the heavier and thicker, the brighter."""
        heavy = 1.0 + 1.2e6 * self._maps["La"] + 0.25e6 * self._maps["Ti"]
        return _fine_image(self._maps["thickness"] * heavy, self.seed)

    def truth(self, scalarizer: str | Mapping[str, Any] | Scalarizer) -> Floats:
        """Return the map of a target without noise, shape `shape`."""
        spectra = np.array([self._expected(index) for index in np.ndindex(self.shape)])
        return scalarized_map(get_scalarizer(scalarizer), spectra.reshape(*self.shape, -1), self.axis)

    def _expected(self, index: tuple[int, ...]) -> Floats:
        at = {name: float(values[index]) for name, values in self._maps.items()}
        core = sum(at[name] * edge for name, edge in self._edges.items())
        loss = _low_loss(self.axis, at["thickness"], at["plasmon"])
        return self.counts * (loss + at["thickness"] * (_background(self.axis) + core))


_FINER = 4  # pixels of an overview image in one of the sample, on each axis

_EDGES: dict[str, tuple[float, tuple[tuple[float, float, float], ...]]] = {
    "Ti": (456.0, ((458.5, 3.0, 2.0), (464.0, 2.2, 2.0))),  # onset; white lines: energy, height, width, eV
    "O": (532.0, ((535.0, 0.6, 4.0),)),
    "La": (832.0, ((834.5, 3.0, 2.5), (851.0, 2.4, 2.5))),
}


def _shape(shape: Sequence[int]) -> tuple[int, ...]:
    try:
        values = tuple(index(n) for n in shape)
    except TypeError:
        values = ()
    if not 1 <= len(values) <= 3 or min(values) < 1:
        raise ValueError(f"sample: shape must be one to three positive whole numbers, got {shape!r}")
    return values


def _triangle(n_channels: int, amplitude: float) -> Floats:
    if n_channels < 16 or n_channels % 4:
        raise ValueError(f"SyntheticFerroelectric: n_channels must be a multiple of four, 16 or more, got {n_channels}")
    phase = np.arange(n_channels) / n_channels
    return amplitude * (1 - 4 * np.abs((phase + 0.25) % 1 - 0.5))


def _pixel_rng(seed: int, index: tuple[int, ...], shape: tuple[int, ...], visit: int) -> np.random.Generator:
    return np.random.default_rng([seed, int(np.ravel_multi_index(index, shape)), visit])


def _field(shape: tuple[int, ...], share: float, rng: np.random.Generator) -> Floats:
    """Return a smooth random map, mean 0 and standard deviation 1, its length `share` of each side."""
    field = gaussian_filter(rng.standard_normal(shape), [max(share * n, 0.5) for n in shape], mode="reflect")
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-12))


def _spot(shape: tuple[int, ...], width: float, rng: np.random.Generator) -> Floats:
    """Return a Gaussian hill of height 1 somewhere in the inner part of the map."""
    coordinates = np.indices(shape)
    squares = [
        ((x - rng.uniform(0.2, 0.8) * (n - 1)) / max(width * n, 1.0)) ** 2
        for x, n in zip(coordinates, shape, strict=True)
    ]
    return np.asarray(np.exp(-0.5 * np.sum(squares, axis=0)))


def _ferroelectric_maps(shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, Floats]:
    domains = _field(shape, 0.12, rng)
    wall = np.exp(-0.5 * (domains / 0.15) ** 2)
    spot = _spot(shape, 0.11, rng)
    response = 22.0 + 3.0 * np.tanh(_field(shape, 0.15, rng)) + 12.0 * spot
    return {
        "response": response * (1 - 0.25 * wall),  # pm
        "coercive": 2.4 + 0.25 * np.tanh(_field(shape, 0.15, rng)) + 0.5 * spot,  # V
        "imprint": 0.6 * np.tanh(domains / 0.3),  # V
        "width": 0.7 + 0.1 * np.tanh(_field(shape, 0.2, rng)),  # V
        "slope": 0.3 * np.tanh(_field(shape, 0.2, rng)),  # pm/V, electrostatic
        "wall": wall,  # 1 in the middle of a domain wall
    }


def _some_pixels(shape: tuple[int, ...], share: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    if not 0 <= share < 1:
        raise ValueError(f"SyntheticFerroelectric: failed must be a part of the pixels, 0 to 1, got {share}")
    return np.asarray(rng.random(shape) < share)


def _spoilt(loop: Floats, rng: np.random.Generator) -> Floats:
    """Return a loop of which a stretch of a third is spikes of 2 to 200 times the response, of either sign."""
    n = len(loop)
    stretch = (rng.integers(n) + np.arange(n // 3)) % n
    size = np.abs(loop).max() * 10 ** rng.uniform(0.3, 2.3, n // 3)
    spoilt = loop.copy()
    spoilt[stretch] = size * rng.choice([-1.0, 1.0], n // 3)
    return spoilt


def _layer_maps(shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, Floats]:
    depth = np.indices(shape)[0] / max(shape[0] - 1, 1) + 0.02 * _field(shape, 0.1, rng)
    middle = _step(depth - 0.38) * _step(0.62 - depth)
    lower = _step(depth - 0.62)
    titanium = (1 - 0.9 * middle - 0.4 * lower) * (0.8 + 0.08 * np.tanh(_field(shape, 0.15, rng)))
    return {
        "Ti": 1.6e-6 * (titanium + 0.35 * _spot(shape, 0.12, rng) * (1 - middle)),
        "O": 1.2e-6 * np.ones(shape),
        "La": 0.9e-6 * (0.1 + 0.8 * middle + 0.3 * lower),
        "thickness": 0.5 + 0.05 * np.tanh(_field(shape, 0.3, rng)),  # t/lambda
        "plasmon": 29.5 - 3.0 * middle,  # eV
    }


def _fine_image(values: Floats, seed: int) -> Floats:
    """Return a map as an image of four times as many pixels on each axis, with noise of 5 % of its spread a pixel."""
    fine = zoom(values, _FINER, order=1, mode="nearest", grid_mode=True)
    return np.asarray(fine + 0.05 * values.std() * np.random.default_rng([seed, 2]).standard_normal(fine.shape))


def _step(x: Floats) -> Floats:
    return np.asarray(expit(x / 0.015))


def _low_loss(energy: Floats, thickness: float, plasmon: float, damping: float = 6.0) -> Floats:
    """Return zero loss and single plasmon scattering, per count of the whole; Poisson's law in t/lambda."""
    zero = np.exp(-0.5 * (energy / 0.8) ** 2)
    loss = np.clip(energy, 0.0, None)
    drude = damping * loss * plasmon**2 / ((loss**2 - plasmon**2) ** 2 + (damping * loss) ** 2)
    return np.asarray(np.exp(-thickness) * (zero / zero.sum() + thickness * drude / drude.sum()))


def _background(energy: Floats) -> Floats:
    tail = np.clip(energy, 60.0, None) / 60.0
    return np.where(energy > 60.0, 1.5e-4 * tail**-2.8, 0.0)


def _edge(energy: Floats, onset: float, lines: Sequence[tuple[float, float, float]]) -> Floats:
    above = expit((energy - onset) / 0.7)
    jump = above * (np.clip(energy, onset, None) / onset) ** -3.0
    whites = sum(height / (1 + ((energy - e) / width) ** 2) for e, height, width in lines)
    return np.asarray(jump + above * whites)
