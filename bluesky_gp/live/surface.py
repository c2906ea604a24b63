"""The place where a session can show a picture: a window, the cell of a notebook, or none."""

import os
import sys
from typing import Literal

Surface = Literal["window", "cell", "none"]
_CELLS = ("inline", "ipympl", "widget", "nbagg", "notebook")


def surface() -> tuple[Surface, str]:
    """Return where this session shows figures, and by which of matplotlib's backends ("": whichever there is)."""
    backend = _backend()
    if any(name in backend for name in _CELLS):
        return "cell", ""
    if backend:
        return ("window" if _has_windows(backend) else "none"), backend
    if _is_kernel():
        return "cell", ""
    return ("window" if _may_have_display() else "none"), ""


def _backend() -> str:
    """Return the backend that the session chose, as ``%matplotlib qt`` does, or its environment; "" if none is."""
    matplotlib = sys.modules.get("matplotlib")
    chosen = None if matplotlib is None else matplotlib.get_backend(auto_select=False)
    return str(chosen or os.environ.get("MPLBACKEND", "")).lower()


def _has_windows(backend: str) -> bool:
    from matplotlib.backends.registry import BackendFilter, backend_registry

    names = backend_registry.list_builtin(BackendFilter.INTERACTIVE)  # type: ignore[no-untyped-call]
    return backend in names and backend != "webagg"


def _is_kernel() -> bool:
    """Whether the session is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython.get_ipython(), "kernel") if ipython is not None else False


def _may_have_display() -> bool:
    shown = {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    return bool(shown) or not sys.platform.startswith(("linux", "freebsd"))
