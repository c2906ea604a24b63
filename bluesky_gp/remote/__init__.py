"""Agents that are not in the process of the plan: one that fills the queue, one that hears documents from elsewhere."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
