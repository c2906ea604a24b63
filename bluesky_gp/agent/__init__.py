"""The agent: hears a run's documents, is asked as a detector is, answers with pixels."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
