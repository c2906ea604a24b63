"""PixelOptimizer and what it is made of: recipe, state, model, batch, designs, stopping rules, forecast."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
