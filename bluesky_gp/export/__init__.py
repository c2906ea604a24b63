"""A run as files that other programs open: maps as NetCDF or Zarr, spectra as HyperSpy's ``.hspy``."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
