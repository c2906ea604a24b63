"""Adaptive Gaussian-process maps inside Bluesky.

The names that `__init__.pyi` lists are imported when they are first used, here as in every room: ``import bluesky_gp``
costs a session nothing.
"""

from pkgutil import extend_path

import lazy_loader

# An interpreter started in the repository root sees ./bluesky_gp first, which holds no `devices` and no `plans`;
# the installed package, further down sys.path, does.
__path__ = extend_path(__path__, __name__)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
