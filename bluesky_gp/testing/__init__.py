"""Contracts of acquisition functions, detectors and stages, and a simple optimizer; nothing at run time imports it.

The contracts need pytest, which the rest of the package does not.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
