"""The hyperparameters of a scikit-learn kernel: their names, and a kernel in which they are set many times."""

from collections.abc import Iterator

import numpy as np
from sklearn.base import clone
from sklearn.gaussian_process.kernels import Exponentiation, Kernel, Product, Sum

from bluesky_gp.typing import Floats


class AdjustableKernel:
    """A copy of a kernel whose hyperparameters are set many times: scikit-learn looks for them anew every time."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = clone(kernel)
        self._leaves, start = [], 0
        for leaf in leaves(self.kernel):
            for h in leaf.hyperparameters:
                if not h.fixed:
                    entries = start if h.n_elements == 1 else slice(start, start + h.n_elements)
                    self._leaves.append((leaf, h.name, entries))
                    start += h.n_elements

    def __call__(self, theta: Floats) -> Kernel:
        """Return the kernel, with these hyperparameters until the next call."""
        values = np.exp(theta)
        for leaf, name, entries in self._leaves:
            setattr(leaf, name, values[entries])
        return self.kernel


def log_bounds(kernel: Kernel) -> Floats:
    """Bounds of theta, shape ``(n_theta, 2)``; ``kernel.bounds`` looks for those of every part three times."""
    return np.vstack([np.empty((0, 2)), *(leaf.bounds for leaf in leaves(kernel) if len(leaf.bounds))])


def leaves(kernel: Kernel) -> Iterator[Kernel]:
    """Yield the kernels that an expression is made of, in the order of its theta."""
    if isinstance(kernel, Sum | Product):
        yield from leaves(kernel.k1)
        yield from leaves(kernel.k2)
    elif isinstance(kernel, Exponentiation):
        yield from leaves(kernel.kernel)
    else:
        yield kernel


def theta_names(kernel: Kernel) -> list[str]:
    """Name of each entry of ``kernel.theta``, as in ``["k1__k2__length_scale[0]", ...]``."""
    names = []
    for h in kernel.hyperparameters:
        if not h.fixed:
            names += [h.name] if h.n_elements == 1 else [f"{h.name}[{i}]" for i in range(h.n_elements)]
    return names
