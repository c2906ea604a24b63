"""The choice between the covariance by lag and the one by coordinates."""

from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.dense_covariance import DenseCovariance
from bluesky_gp.gp.interfaces import Covariance
from bluesky_gp.gp.kernels import check_kernel
from bluesky_gp.gp.lattice_covariance import LatticeCovariance
from bluesky_gp.grid import PixelGrid


def covariance_of(kernel: Kernel, grid: PixelGrid, *, near: bool = True, quick: bool = True) -> Covariance:
    """Return the covariance of a grid's pixels by the cheapest way that the kernel allows."""
    check_kernel(kernel, grid.ndim)
    if kernel.is_stationary():
        return LatticeCovariance.of(kernel, grid, near=near, quick=quick)
    return DenseCovariance.of(kernel, grid, quick=quick)
