"""A run while it goes on: progress in words, maps in a window, a notebook or a picture. Callbacks for documents."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
