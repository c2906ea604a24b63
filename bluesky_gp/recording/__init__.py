"""Documents to a journal, journals to a catalog; the only room that knows tiled."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
