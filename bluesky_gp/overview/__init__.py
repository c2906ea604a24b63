"""The overview image of the sample: where it lies, and features of it along which a target may change."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
