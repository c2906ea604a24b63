"""A page in the browser: the runs of a catalog, live and afterwards, by a process of its own."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
