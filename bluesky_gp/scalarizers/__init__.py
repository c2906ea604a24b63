"""Scalarizers, spectrum to number: the quantity that a map shows and an agent maximises."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
