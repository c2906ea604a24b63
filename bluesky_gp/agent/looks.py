"""The time that a pixel is worth, before going on to the next is worth more: by looks, or by one exposure."""

from math import isfinite, sqrt


def worthwhile_looks(noise: float, going_on: float, look: float) -> int:
    r"""Return how many looks at a pixel teach most of the map a second; 1 where the times are not known.

    By :math:`k` looks, variance falls by an amount proportional to :math:`1 / (v + s^2 / k)`, in the time
    :math:`t_0 + k t_1`: most a second at :math:`k = \sqrt{(s^2 / v) (t_0 / t_1)}`.

    Parameters
    ----------
    noise : float
        Variance of the noise over that of the map at the pixel, :math:`s^2 / v`. NaN, as before the first fit: counts
        as 1, since it takes repeats to tell noise from a rough map.
    going_on : float
        :math:`t_0`, what a new pixel costs beside its look.
    look : float
        :math:`t_1`.

    Examples
    --------
    >>> worthwhile_looks(noise=4.0, going_on=1.0, look=0.25)
    4
    """
    if not (going_on > 0.0 and look > 0.0):
        return 1
    ratio = noise if isfinite(noise) else 1.0
    return max(round(sqrt(ratio * going_on / look)), 1)


def worthwhile_exposure(noise: float, going_on: float, usual: float) -> float:
    r"""Return how long an exposure at a pixel teaches most of the map a second; the usual one where no times are known.

    An exposure of :math:`t` takes away variance proportional to :math:`1 / (v + s^2 t_1 / t)`, in the time
    :math:`t_0 + t`: most a second at :math:`t = \sqrt{(s^2 / v) t_0 t_1}`.

    Parameters
    ----------
    noise : float
        As of `worthwhile_looks`, by the usual exposure.
    going_on : float
        :math:`t_0`, what a pixel costs beside its exposure, in s.
    usual : float
        :math:`t_1`, in s.

    Examples
    --------
    >>> worthwhile_exposure(noise=4.0, going_on=1.0, usual=0.25)
    1.0
    """
    if not going_on > 0.0:
        return usual
    return sqrt((noise if isfinite(noise) else 1.0) * going_on * usual)
