"""Kernels by name, as commands and pages offer them."""

from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel, Matern, RationalQuadratic, WhiteKernel

_LENGTH, _BOUNDS = 6.0, (0.7, 100.0)  # pixels


def kernel_of(name: str, ndim: int = 2) -> Kernel | None:
    """Return a kernel, length scales in pixels, for a grid of so many axes; None: the optimizer's default.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    if name == "default":
        return None
    lengths = [_LENGTH] * ndim
    shapes = {
        "matern12": Matern(lengths, _BOUNDS, nu=0.5),
        "matern32": Matern(lengths, _BOUNDS, nu=1.5),
        "matern52": Matern(lengths, _BOUNDS, nu=2.5),
        "rbf": RBF(lengths, _BOUNDS),
        "rationalquadratic": RationalQuadratic(_LENGTH, length_scale_bounds=_BOUNDS),
    }
    return ConstantKernel(1.0, (1e-4, 1e4)) * shapes[name] + WhiteKernel(0.01, (1e-6, 1e1))
